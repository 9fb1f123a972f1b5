package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// plotDir is the folder of the plots of docs/performance.md.
const plotDir = "docs/performance"

// plotAll draws the curves of the results that there are.
func plotAll() error {
	var r report
	var g growth
	for file, into := range map[string]any{benchFile: &r, growingFile: &g} {
		text, err := os.ReadFile(file) //nolint:gosec // a path of this program
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(text, into)
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
	}
	curves := r.Curves
	for _, list := range []struct {
		name string
		rows []byRows
	}{
		{"expiry of 1000 values", g.Sweeps}, {"profile load without cache, by rows", g.Reads},
	} {
		c := curve{Name: list.name, X: "stored versions", Y: "p50 ms", Ceiling: "p99 ms"}
		for _, row := range list.rows {
			c.Points = append(c.Points, point{X: float64(row.Rows), Value: row.P50, Ceiling: row.P99})
		}
		curves = append(curves, c)
	}
	if err := os.MkdirAll(plotDir, 0o755); err != nil { //nolint:gosec // public results
		return err
	}
	for _, c := range curves {
		if len(c.Points) == 0 {
			continue
		}
		if err := c.plot(); err != nil {
			return fmt.Errorf("plot %s: %w", c.Name, err)
		}
	}
	fmt.Printf("plots written to %s\n", plotDir)
	return nil
}

// plot draws a curve and its ceiling. Both axes are logarithmic, because both sides grow by factors.
func (c curve) plot() error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Name, c.X, c.Y
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, pointTicks(c.Points)
	p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1}
	p.Legend.Top, p.Legend.Left = true, true
	p.Add(plotter.NewGrid())
	values, ceilings := make(plotter.XYs, len(c.Points)), make(plotter.XYs, len(c.Points))
	for i, at := range c.Points {
		values[i], ceilings[i] = plotter.XY{X: at.X, Y: at.Value}, plotter.XY{X: at.X, Y: at.Ceiling}
	}
	if err := plotutil.AddLinePoints(p, c.Y, values, c.Ceiling, ceilings); err != nil {
		return err
	}
	return p.Save(16*vg.Centimeter, 10*vg.Centimeter, filepath.Join(plotDir, c.file()))
}

// file returns the name of the file of the plot.
func (c curve) file() string {
	name := strings.ReplaceAll(strings.ReplaceAll(c.Name, ",", ""), ":", "")
	return strings.ReplaceAll(strings.ToLower(name), " ", "-") + ".svg"
}

// pointTicks marks the measured values of x.
func pointTicks(points []point) plot.ConstantTicks {
	var ticks plot.ConstantTicks
	for _, p := range points {
		ticks = append(ticks, plot.Tick{Value: p.X, Label: fmt.Sprintf("%.0f", p.X)})
	}
	return ticks
}
