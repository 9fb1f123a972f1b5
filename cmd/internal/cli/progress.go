package cli

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress shows on a terminal how far something long has come. Elsewhere it shows nothing.
type Progress struct{ bar *progressbar.ProgressBar }

// NewProgress begins at 0 of total, in the given unit; total -1: how much there is to do is not known. Bytes are shown as KB and
// MB.
func NewProgress(w io.Writer, total int64, unit, what string) *Progress {
	if f, ok := w.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) { //nolint:gosec // a file descriptor is an int
		return &Progress{}
	}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what), progressbar.OptionThrottle(100 * time.Millisecond),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(true), progressbar.OptionFullWidth(),
	}
	if unit == "bytes" {
		options = append(options, progressbar.OptionShowBytes(true))
	} else {
		options = append(options, progressbar.OptionShowCount(), progressbar.OptionSetItsString(unit))
	}
	return &Progress{bar: progressbar.NewOptions64(total, options...)}
}

// Shown says whether there is a bar: somebody looks on.
func (p *Progress) Shown() bool { return p.bar != nil }

// At says how far it has come.
func (p *Progress) At(done int64) {
	if p.bar != nil {
		_ = p.bar.Set64(done) // a bar that cannot be drawn is no reason to stop
	}
}

// End takes the bar away.
func (p *Progress) End() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
