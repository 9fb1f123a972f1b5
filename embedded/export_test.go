package embedded

import "time"

var LoadKeys = loadKeys

const (
	DefaultEmail    = defaultEmail
	DefaultPassword = defaultPassword
)

// SetLockTimeout sets how long Start waits for the lock of another running engine.
func SetLockTimeout(d time.Duration) (restore func()) {
	old := lockTimeout
	lockTimeout = d
	return func() { lockTimeout = old }
}
