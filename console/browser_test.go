package console_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/contextvault/contextvault/internal/testkit"
	"github.com/contextvault/contextvault/vault"
)

var pictures = flag.String("pictures", "", "the folder in which the tests of pages keep their screenshots; empty: none")

// axe is axe-core, which finds problems of accessibility.
//
//go:embed testdata/axe.min.js
var axe string

var (
	// chromium is the browser of all tests, which starts with the first. Its context is empty if there is none.
	chromium = sync.OnceValues(startBrowser)
	// quitBrowser ends it.
	quitBrowser = func() {}
)

func startBrowser() (context.Context, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, err
	}
	data, err := os.MkdirTemp("", "console-browser-")
	if err != nil {
		return nil, err
	}
	all, stop := chromedp.NewExecAllocator(context.Background(), chromedp.NoFirstRun, chromedp.Headless, chromedp.NoSandbox,
		chromedp.ExecPath(path), chromedp.UserDataDir(data), chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-background-timer-throttling", true), chromedp.Flag("disable-renderer-backgrounding", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true), chromedp.Flag("disable-dev-shm-usage", true))
	ctx, quit := chromedp.NewContext(all)
	quitBrowser = func() {
		_ = chromedp.Cancel(ctx) // waits until it has ended
		quit()
		stop()
		_ = os.RemoveAll(data)
	}
	return ctx, chromedp.Run(ctx)
}

// browser is a tab of a real browser with a session of its own.
type browser struct {
	t        testing.TB
	ctx      context.Context //nolint:containedctx // of the tab
	url      string
	problems problems
}

// problems are what the browser complained about: scripts that failed, and what the content policy refused.
type problems struct {
	mu  sync.Mutex
	all []string
}

func (p *problems) listen(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError && e.Entry.Source != log.SourceNetwork { // which says that a page has status 422
			p.all = append(p.all, e.Entry.Text)
		}
	case *runtime.EventExceptionThrown:
		p.all = append(p.all, e.ExceptionDetails.Error())
	}
}

// newTab opens a window with cookies of its own.
func newTab(all context.Context) (target.ID, error) {
	ctx := cdp.WithExecutor(all, chromedp.FromContext(all).Browser)
	cookies, err := target.CreateBrowserContext().Do(ctx)
	if err != nil {
		return "", err
	}
	return target.CreateTarget("about:blank").WithBrowserContextID(cookies).WithNewWindow(true).Do(ctx)
}

// open opens a tab and signs in with the keyboard. A machine without Chromium skips the test; CI has it.
func (w *world) open(actions ...chromedp.Action) *browser {
	w.t.Helper()
	all, err := chromium()
	switch {
	case errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") == "":
		w.t.Skip("chromium is not installed, so nothing was tried in a browser: scripts/services tools")
	case err != nil:
		w.t.Fatal(err)
	}
	tab, err := newTab(all)
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(all, chromedp.WithTargetID(tab))
	w.t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, testkit.Patience)
	w.t.Cleanup(cancel)
	b := &browser{t: w.t, ctx: ctx, url: w.url + "/console"}
	chromedp.ListenTarget(ctx, b.problems.listen)
	w.t.Cleanup(func() {
		b.problems.mu.Lock()
		defer b.problems.mu.Unlock()
		for _, text := range b.problems.all {
			w.t.Errorf("the browser says: %s", text)
		}
	})
	b.do(emulation.SetFocusEmulationEnabled(true)) // a tab behind another takes keys too
	b.do(actions...)
	b.do(chromedp.Navigate(b.url+"/"), chromedp.WaitVisible("#key"), chromedp.SendKeys("#key", w.key),
		chromedp.SendKeys("#name", "Grace"), chromedp.SendKeys("#name", kb.Enter), chromedp.WaitVisible("nav"))
	return b
}

// withoutScripts turns JavaScript off.
var withoutScripts = emulation.SetScriptExecutionDisabled(true)

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatalf("%v", err)
	}
}

func (b *browser) goTo(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.url+path), chromedp.WaitVisible("h1"))
}

// leave does what leads to another page, and waits until that one shows a selector.
func (b *browser) leave(then string, actions ...chromedp.Action) {
	b.t.Helper()
	b.do(chromedp.Evaluate(`document.body.dataset.old = "yes"; 0`, nil))
	b.do(actions...)
	b.do(chromedp.WaitVisible("body:not([data-old]) " + then))
}

// press clicks what a selector finds, and waits until the next page shows a selector.
func (b *browser) press(selector, then string) {
	b.t.Helper()
	b.leave(then, chromedp.Click(selector, chromedp.NodeVisible))
}

// enter presses Enter, and waits until the next page shows a selector.
func (b *browser) enter(then string) {
	b.t.Helper()
	b.leave(then, chromedp.KeyEvent(kb.Enter))
}

// clickDrawing clicks the middle of a part of a drawing, which has no box of its own.
func (b *browser) clickDrawing(selector, then string) {
	b.t.Helper()
	var at []float64
	b.do(chromedp.Evaluate(`(() => {
		const r = document.querySelector("`+selector+`").getBoundingClientRect();
		return [r.x + r.width / 2, r.y + r.height / 2];
	})()`, &at))
	b.leave(then, chromedp.MouseClickXY(at[0], at[1]))
}

// focus moves the focus with Tab alone, until it is on what a selector finds, as a person without a mouse does.
func (b *browser) focus(selector string) {
	b.t.Helper()
	for range 200 {
		var there bool
		encoded, err := json.Marshal(selector)
		if err != nil {
			b.t.Fatal(err)
		}
		b.do(chromedp.KeyEvent(kb.Tab),
			chromedp.Evaluate("document.activeElement.matches("+string(encoded)+")", &there))
		if there {
			return
		}
	}
	b.t.Fatalf("Tab never reaches %s", selector)
}

func (b *browser) text() string {
	b.t.Helper()
	var text string
	b.do(chromedp.Text("main", &text))
	return text
}

func (b *browser) has(texts ...string) {
	b.t.Helper()
	got := b.text()
	for _, text := range texts {
		if !strings.Contains(got, text) {
			b.t.Errorf("the page lacks %q: %s", text, got)
		}
	}
}

const done = ".notice.done"

// The main things a person does, with the mouse: with JavaScript and without.
func TestBrowser_MainActions(t *testing.T) {
	t.Parallel()
	for name, first := range map[string][]chromedp.Action{
		"with JavaScript": nil, "without JavaScript": {withoutScripts},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.define(nil, "plan", "tier", "city")
			w.conflict("plan", "gold", "silver")
			city := w.write("city", "Oslo")
			w.write("tier", "north", from(city))
			w.scenario(insurance)
			op := w.undefined("hobby")
			w.define(nil, "hobby")
			b := w.open(first...)
			b.has("Pending value: plan", "silver", "gold")

			b.press("[data-item] [data-approve]", done)
			b.has("decide-review succeeded.")
			b.goTo("/inbox")
			b.press(`button[aria-label="Approve Pending value: plan"]`, done)
			b.has("decide-value succeeded.")

			customer := "/customers/" + w.customer.String()
			b.goTo(customer)
			b.press(`a[aria-label="Correct city"]`, "#value")
			b.do(chromedp.SetValue("#value", "Bergen"), chromedp.SendKeys("#reason", "The customer moved."))
			b.press("form button.primary", done)
			b.has("correct-value succeeded.", "Bergen", "stale")
			b.do(chromedp.WaitVisible("#field-tier .badge.stale"))

			b.press("#field-tier .meta a", "svg.chain")
			b.clickDrawing("svg.chain a", ".badge.superseded")
			b.has("Oslo", "superseded")

			other := apply(w, vault.OpenCustomer, vault.OpenCustomerInput{Channel: "sms", ExternalID: "+4915112345678"})
			b.goTo(customer)
			b.do(chromedp.SendKeys("#source", other.CustomerID.String()))
			b.press(`form[action$="/merge"] button`, ".pair")
			b.press("form button.primary", done)
			b.has("merge-customers succeeded.", other.CustomerID.String())
			b.press(`form[action$="/unmerge"] button`, done)
			b.has("unmerge-customer succeeded.")

			b.goTo("/operations?status=failed")
			b.press(`a[aria-label="write-value `+op.String()+`"]`, "dl")
			b.has("hobby", "What to do")
			b.press("main form button.primary", done)
			b.has("write-value succeeded.")
		})
	}
}

// The same by the keyboard alone.
func TestBrowser_KeyboardAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "plan", "tier", "city")
	w.conflict("plan", "gold", "silver")
	city := w.write("city", "Oslo")
	w.write("tier", "north", from(city))
	w.scenario(insurance)
	op := w.undefined("hobby")
	w.define(nil, "hobby")
	other := apply(w, vault.OpenCustomer, vault.OpenCustomerInput{Channel: "sms", ExternalID: "+4915112345678"})
	b := w.open()
	b.focus("[data-item]")
	b.do(chromedp.KeyEvent("x"), chromedp.KeyEvent("j"), chromedp.KeyEvent("k"))
	b.leave(done, chromedp.KeyEvent("a"))
	b.has("decide-review succeeded.")
	b.focus(`button[aria-label="Approve Pending value: plan"]`)
	b.enter(done)
	b.has("decide-value succeeded.")

	b.focus(`nav a[href$="/customers"]`)
	b.enter("#id")
	b.focus("#id")
	b.do(chromedp.KeyEvent(w.customer.String()))
	b.enter("#merges")
	b.focus(`a[aria-label="Correct city"]`)
	b.enter("#value")
	b.focus("#value")
	b.do(chromedp.KeyEvent(" fjord"))
	b.focus("#reason")
	b.do(chromedp.KeyEvent("It was cut."))
	b.enter(done)
	b.has("correct-value succeeded.", "fjord")
	if w.active("city") == city {
		t.Error("the value was not corrected")
	}
	b.do(chromedp.WaitVisible("#field-tier .badge.stale"))
	b.focus(`#field-tier .meta a`)
	b.enter("svg.chain")
	b.focus("svg.chain a")
	b.enter(".badge.superseded")
	b.has("Oslo", "superseded")

	b.goTo("/customers/" + w.customer.String())
	b.focus("#source")
	b.do(chromedp.KeyEvent(other.CustomerID.String()))
	b.enter(".pair")
	b.focus("main form button.primary")
	b.enter(done)
	b.has("merge-customers succeeded.", other.CustomerID.String())
	b.focus(`form[action$="/unmerge"] button`)
	b.enter(done)
	b.has("unmerge-customer succeeded.")

	b.focus(`nav a[href$="/operations"]`)
	b.enter("#status")
	b.focus(`a[aria-label="write-value ` + op.String() + `"]`)
	b.enter("dl")
	b.focus("main form button.primary")
	b.enter(done)
	b.has("write-value succeeded.")
}

// Every page fits two widths, in light and dark, and has no serious problem of accessibility. Nothing breaks the
// content policy.
func TestBrowser_Pages(t *testing.T) {
	t.Parallel()
	w, paths := full(t, "plain")
	b := w.open()
	for name, path := range paths {
		b.goTo(path)
		b.check(name)
	}
}

// So do the pages that answer a form, and those for people without a session.
func TestBrowser_PagesAfterForms(t *testing.T) {
	t.Parallel()
	w, paths := full(t, "plain")
	other := apply(w, vault.OpenCustomer, vault.OpenCustomerInput{Channel: "sms", ExternalID: "+4915112345678"})
	b := w.open()
	b.goTo("/no-such-page")
	b.check("not found")
	b.goTo(paths["customer"])
	b.press(`form[action$="/reveal"] button`, "h1")
	b.check("revealed customer")
	b.goTo(paths["session"])
	b.press(`form[action$="/reveal"] button`, "mark, .turn, h1")
	b.check("revealed conversation")
	b.goTo(paths["customer"])
	b.do(chromedp.SendKeys("#source", other.CustomerID.String()))
	b.press(`form[action$="/merge"] button`, ".pair")
	b.check("merge")
	b.goTo(paths["correct"])
	b.do(chromedp.SendKeys("#reason", " "))
	b.press("form button.primary", "[aria-invalid]")
	b.check("form with errors")
	b.goTo("/customers")
	b.do(chromedp.SendKeys("#field", "plan"), chromedp.SendKeys("#value", "plain"), chromedp.Click(`[name="begins"]`))
	b.press("main form button.primary", "[aria-invalid]")
	b.check("found customers")
	b.goTo("/keys")
	b.do(chromedp.SendKeys("#name", "night shift"))
	b.press("form.card button.primary", "#secret")
	b.check("new key")
	b.goTo("/audit")
	b.press(`form[action$="/verify"] button`, ".notice.done")
	b.check("verified audit")
	b.goTo(paths["export"])
	b.press("form button.primary", done)
	b.check("exported")
	b.goTo("/customers/" + other.CustomerID.String() + "/erase")
	b.do(chromedp.SendKeys("#confirm", other.CustomerID.String()))
	b.press("main button.danger", done)
	b.check("erased")
	b.do(chromedp.Click("header summary"))
	b.press(`form[action$="/sign-out"] button`, "#key")
	b.check("sign in")
	b.do(chromedp.SendKeys("#key", "wrong"))
	b.press("form button", "[aria-invalid], .notice")
	b.check("refused sign in")
}

// check reports what of a page is outside of the window or a serious problem of accessibility, in two widths, in light
// and dark. It keeps pictures where they are wanted.
func (b *browser) check(name string) {
	b.t.Helper()
	b.do(chromedp.Evaluate(axe+"; 0", nil))
	for _, view := range []struct {
		name, scheme  string
		width, height int64
	}{
		{"narrow", "light", 360, 800}, {"narrow", "dark", 360, 800}, {"wide", "light", 1920, 1080}, {"wide", "dark", 1920, 1080},
	} {
		b.do(chromedp.EmulateViewport(view.width, view.height), emulation.SetEmulatedMedia().WithFeatures(
			[]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: view.scheme}}))
		var overflow int
		b.do(chromedp.Evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth", &overflow))
		if overflow > 0 {
			b.t.Errorf("%s, %s: %d pixels are outside of the window", name, view.name, overflow)
		}
		b.accessible(name + ", " + view.name + ", " + view.scheme)
		if *pictures != "" {
			var picture []byte
			b.do(chromedp.CaptureScreenshot(&picture))
			file := filepath.Join(*pictures, strings.ReplaceAll(name, " ", "-")+"-"+view.name+"-"+view.scheme+".png")
			if err := os.WriteFile(file, picture, 0o600); err != nil {
				b.t.Fatal(err)
			}
		}
	}
}

// accessible reports the serious and critical problems that axe finds.
func (b *browser) accessible(name string) {
	b.t.Helper()
	var found []string
	b.do(chromedp.Evaluate(`axe.run().then(r => r.violations
		.filter(v => v.impact === "serious" || v.impact === "critical")
		.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ")).join(", ")))`, &found,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	for _, problem := range found {
		b.t.Errorf("%s: %s", name, problem)
	}
}
