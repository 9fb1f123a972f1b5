package cli

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress is a progress bar on a terminal. It shows nothing if the output is not a terminal.
type Progress struct{ bar *progressbar.ProgressBar }

// NewProgress creates a progress bar at 0 of total. total -1: unknown. The unit "bytes" is shown as KB and MB.
func NewProgress(w io.Writer, total int64, unit, what string) *Progress {
	if f, ok := w.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) { //nolint:gosec // a file descriptor is an int
		return &Progress{}
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(),
	}
	if unit == "bytes" {
		options = append(options, progressbar.OptionShowBytes(true))
	} else {
		options = append(options, progressbar.OptionShowCount(), progressbar.OptionSetItsString(unit))
	}
	return &Progress{bar: progressbar.NewOptions64(total, options...)}
}

// Shown reports whether the bar is visible.
func (p *Progress) Shown() bool { return p.bar != nil }

// At sets the progress.
func (p *Progress) At(done int64) {
	if p.bar != nil {
		_ = p.bar.Set64(done) // the work continues without a bar
	}
}

// End removes the bar.
func (p *Progress) End() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
