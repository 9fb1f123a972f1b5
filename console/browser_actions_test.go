package console_test

import (
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/contextvault/contextvault/internal/testkit"
)

// A customer is exported, a value expires, an item is deleted and restored, a key is made and revoked, and the customer
// is erased: with JavaScript and without.
func TestBrowser_CustomerActions(t *testing.T) {
	t.Parallel()
	for name, first := range map[string][]chromedp.Action{
		"with JavaScript": nil, "without JavaScript": {withoutScripts},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.define(nil, "plan", "city")
			w.write("plan", "gold")
			w.write("city", "Oslo")
			b := w.open(first...)
			customer := "/customers/" + w.customer.String()

			b.goTo(customer)
			b.press(`a[aria-label="Expire plan"]`, "button.danger")
			b.press("button.danger", done)
			b.has("expire-value succeeded.", "Orphaned and expired values")

			b.press(`a[aria-label="Delete city"]`, "button.danger")
			b.press("button.danger", done)
			b.press(".notice.done a", "dl")
			b.press(`form[action$="/restore"] button`, done)
			b.has("restore-item succeeded.", "Oslo")

			b.goTo(customer)
			b.press(`a[href$="/export"]`, "form button.primary")
			b.press("form button.primary", done)
			b.has("The page for people (HTML)")

			b.goTo("/keys")
			b.do(chromedp.SendKeys("#name", "night shift"))
			b.press("form.card button.primary", "#secret")
			b.has("Store it now")

			b.goTo("/audit")
			b.press(`form[action$="/verify"] button`, ".notice.done")
			b.has("Nothing was changed")

			b.goTo(customer)
			b.press(`a[href$="/erase"]`, "#confirm")
			b.do(chromedp.SendKeys("#confirm", "yes"))
			b.press("main button.danger", "#confirm[aria-invalid]")
			b.do(chromedp.SetValue("#confirm", w.customer.String()))
			b.press("main button.danger", done)
			b.has("erase-customer succeeded.", "signature")
		})
	}
}

// The same by the keyboard alone.
func TestBrowser_CustomerActionsByKeyboard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.define(nil, "plan", "city")
	w.write("plan", "gold")
	w.write("city", "Oslo")
	b := w.open()
	customer := "/customers/" + w.customer.String()
	b.goTo(customer)
	b.focus(`a[aria-label="Expire plan"]`)
	b.enter("button.danger")
	b.focus("button.danger")
	b.enter(done)
	b.has("expire-value succeeded.")

	b.focus(`a[href$="/export"]`)
	b.enter("form button.primary")
	b.focus("main form button.primary")
	b.enter(done)
	b.has("For machines, with lineage (JSON)")

	b.focus(`nav a[href$="/keys"]`)
	b.enter("#name")
	b.focus("#name")
	b.do(chromedp.KeyEvent("night shift"))
	b.enter("#secret")
	b.has("Store it now")

	b.goTo(customer)
	b.focus(`a[href$="/erase"]`)
	b.enter("#confirm")
	b.focus("#confirm")
	b.do(chromedp.KeyEvent(w.customer.String()))
	b.focus("main button.danger")
	b.enter(done)
	b.has("erase-customer succeeded.")

	other := w.customer
	w.customer = testkit.ID()
	w.write("city", "Bergen")
	b.goTo("/customers/" + w.customer.String())
	b.focus(`main a[href$="/delete"].button`)
	b.enter("#purge_after")
	b.focus("button.danger")
	b.enter(done)
	b.has("delete-customer succeeded.")
	if other == w.customer {
		t.Error("there is one customer only")
	}
}

// A list is loaded again when something changed, and what a person types stays. The test runs alone: a page behind
// another one is not looked at, and so it asks for nothing.
func TestBrowser_Live(t *testing.T) { //nolint:paralleltest // see above
	w := newWorld(t)
	w.define(nil, "plan")
	w.write("plan", "gold")
	b := w.open()
	b.goTo("/customers/" + w.customer.String())
	b.do(chromedp.Evaluate(`document.body.dataset.same = "yes"; 0`, nil))
	b.do(chromedp.WaitVisible("body[data-live]"))
	w.write("plan", "platinum", byPerson)
	b.do(chromedp.Poll(`document.querySelector("main").innerText.includes("platinum")`, nil,
		chromedp.WithPollingTimeout(testkit.Patience)))
	b.do(chromedp.WaitVisible("body[data-same]")) // the page itself was not loaded again

	b.do(chromedp.SendKeys("#source", "abc"))
	w.write("plan", "diamond", byPerson)
	b.do(chromedp.WaitVisible("[data-news]:not([hidden])"))
	var typed string
	b.do(chromedp.Value("#source", &typed))
	if typed != "abc" {
		t.Errorf("what was typed is %q", typed)
	}
	b.has("platinum")
	b.leave("#source", chromedp.Click("[data-news] a"))
	b.has("diamond")
}

// The pages without a session, of errors and with revealed values have no serious problem of accessibility either.
func TestBrowser_OtherPagesAreAccessible(t *testing.T) {
	t.Parallel()
	w, paths := full(t, "plain")
	b := w.open()
	check := func(name string) {
		t.Helper()
		b.do(chromedp.Evaluate(axe+"; 0", nil))
		b.accessible(name)
	}
	for _, name := range []string{"customer", "timeline", "session"} {
		b.goTo(paths[name])
		b.press(`main form[action$="/reveal"] button`, "h1")
		check("revealed " + name)
	}
	b.goTo("/customers")
	b.press("form.card button.primary", "#id[aria-invalid]")
	check("a form with an error")
	b.goTo(paths["erase"])
	b.do(chromedp.SendKeys("#confirm", "no"))
	b.press("main button.danger", "#confirm[aria-invalid]")
	check("an erasure with an error")
	b.goTo("/keys")
	b.do(chromedp.SendKeys("#name", "night shift"), chromedp.KeyEvent(kb.Tab))
	b.press("form.card button.primary", "#secret")
	check("a new key")
	b.goTo("/customers/" + testkit.ID().String())
	check("not found")
	b.do(chromedp.Evaluate(`document.querySelector(".session").open = true; 0`, nil))
	check("the session")
	b.press(`form[action$="/sign-out"] button`, "#key")
	check("the sign-in")
	b.do(chromedp.SendKeys("#key", "wrong"))
	b.press("form button.primary", "#key[aria-invalid]")
	check("a refused sign-in")
}
