package main

import (
	"net/http"
	"strings"

	"github.com/weerklank/weerklank/bot/editor"
)

// libraryPath is where the library on the web is served.
const libraryPath = "/library"

// libraryOnWeb says whether the library is on the web: where people reach it safely, and somebody may edit it.
func (c config) libraryOnWeb() bool { return c.libraryReached() && len(c.Rights.Editors) > 0 }

// libraryReached says whether a proxy takes people to the program, and what they send is safe on the way.
func (c config) libraryReached() bool {
	u := webAddress(c.HTTP.PublicURL)
	return c.HTTP.Listen != "" && u != nil && (u.Scheme == "https" || loopbackHost(u.Hostname()))
}

// checkLibrary says what stands in the way of the library on the web.
func (c config) checkLibrary(e *env, wrong func(section, key, text string)) {
	if !c.libraryReached() {
		return
	}
	taken := func(path string) bool { return path != "" && strings.HasPrefix(path+"/", libraryPath+"/") }
	if taken(c.callbackPath()) {
		wrong("mattermost", "callback_url", e.say("cli.config-library-path"))
	}
	if c.slackHTTP() && taken(c.Slack.Path) {
		wrong("slack", "path", e.say("cli.config-library-path"))
	}
}

// libraryNotes are what is allowed, and worth a second look.
func (c config) libraryNotes(e *env) (notes []string) {
	if c.HTTP.Listen != "" && c.HTTP.PublicURL != "" && webAddress(c.HTTP.PublicURL) != nil && !c.libraryReached() {
		notes = append(notes, e.say("cli.config-library-plain"))
	}
	return notes
}

// buildLibrary makes the library on the web. A demo says later where it is reached.
func (p *parts) buildLibrary() (*editor.Editor, error) {
	web, err := editor.New(p.log)
	if err != nil || p.demo {
		return web, err
	}
	return web, web.At(p.c.HTTP.PublicURL)
}

// pages are what the workspace's listener serves: the chat, and in a demo the library beside it.
func (p *parts) pages() http.Handler {
	if !p.demo {
		return p.ws.Handler()
	}
	mux := http.NewServeMux()
	mount(mux, libraryPath, p.web.Handler())
	mux.Handle("/", p.ws.Handler())
	return mux
}
