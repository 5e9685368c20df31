package editor

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/weerklank/weerklank/prompts"
)

// inView is the page with the door.
type inView struct {
	Wrong string // what is not right with the code
	Out   bool   // something was sent in and the session was over
	Typed string // what it said, of somebody who wrote an entry
	Bye   bool   // signed out just now
}

// showIn shows a button: whatever looks at a link before its person does, signs nobody in.
func (e *Editor) showIn(w http.ResponseWriter, r *http.Request) {
	v := e.stranger(w, r)
	v.show(http.StatusOK, "in", page{Title: v.say("web.in"), D: inView{Bye: r.URL.Query().Has("bye")}})
}

// signIn takes a code in.
func (e *Editor) signIn(w http.ResponseWriter, r *http.Request) {
	v := e.stranger(w, r)
	if err := v.take(8 << 10); err != nil {
		v.fail(err)
		return
	}
	secret, s, err := e.in.enter(bare(r.PostFormValue("code")), time.Now())
	if err == nil && (v.bot == nil || !v.bot.MayEdit(s.editor)) {
		e.in.leave(secret)
		err = errCode
	}
	if err != nil {
		if old := e.in.who(v.at.secret(r), time.Now()); old != nil && v.bot != nil && v.bot.MayEdit(old.editor) { // the link was used here
			v.back("")
			return
		}
		status, key := http.StatusForbidden, "web.in-wrong"
		if errors.Is(err, errBusy) {
			w.Header().Set("Retry-After", "60")
			status, key = http.StatusTooManyRequests, "web.in-busy"
		}
		v.show(status, "in", page{Title: v.say("web.in"), D: inView{Wrong: v.say(key)}})
		return
	}
	if old := v.at.secret(r); old != "" { // who signs in again leaves the old session
		e.in.leave(old)
	}
	v.s = s
	http.SetCookie(w, v.at.cookie(secret))
	v.back("in")
}

func (e *Editor) signOut(v *visit) error {
	e.in.leave(v.at.secret(v.r))
	http.SetCookie(v.w, v.at.cookie(""))
	http.Redirect(v.w, v.r, v.link("in")+"?bye=1&lang="+string(v.lang), http.StatusSeeOther)
	return nil
}

// speak changes the language of the pages, for this session.
func (e *Editor) speak(v *visit) error {
	lang := prompts.Lang(v.r.PostFormValue("lang"))
	if !slices.Contains(prompts.Langs(), lang) {
		return errBadForm
	}
	v.s.mu.Lock()
	v.s.lang = lang
	v.s.mu.Unlock()
	// Back to the page it was asked on: a path below the library, never another place.
	here := v.r.PostFormValue("here")
	if strings.ContainsAny(here, "?#\\:") || strings.Contains(here, "..") || strings.Contains(here, "//") {
		here = ""
	}
	return v.back("", strings.Split(strings.TrimPrefix(here, "/"), "/")...)
}
