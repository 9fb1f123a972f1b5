package embedded

import "time"

var LoadKeys = loadKeys

const (
	KnownEmail    = knownEmail
	KnownPassword = knownPassword
)

// SetLockPatience makes Start give up soon where another engine is running.
func SetLockPatience(d time.Duration) (restore func()) {
	old := lockPatience
	lockPatience = d
	return func() { lockPatience = old }
}
