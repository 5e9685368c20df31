package main

import (
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weerklank/weerklank/bot/mattermost"
)

// tidy brings the addresses into the one form that the rest of the program knows: without a slash at the end, and a
// callback_url that is only a path below [http] public_url.
func (c *config) tidy() {
	for _, u := range []*string{&c.Mattermost.URL, &c.Mattermost.CallbackURL, &c.HTTP.PublicURL} {
		*u = strings.TrimRight(strings.TrimSpace(*u), "/")
	}
	c.Slack.APIURL = strings.TrimRight(strings.TrimSpace(c.Slack.APIURL), "/") + "/"
	c.Slack.Path = strings.TrimRight(strings.TrimSpace(c.Slack.Path), "/")
	if strings.HasPrefix(c.Mattermost.CallbackURL, "/") && c.HTTP.PublicURL != "" {
		c.Mattermost.CallbackURL = c.HTTP.PublicURL + c.Mattermost.CallbackURL
	}
}

// webAddress reads an address of a server, with or without a path. Nil: it is none.
func webAddress(s string) *url.URL {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" {
		return nil
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return nil
		}
	}
	return u
}

// plainPath is a path that every proxy and router reads in the same way.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

// commandToken is how Mattermost writes the token of a slash command.
var commandToken = regexp.MustCompile(`^[a-z0-9]{26}$`)

// maxCommandURL is how long the address of a slash command may be.
const maxCommandURL = 1024

// checkMattermost says what is wrong in [mattermost] and [http].
func (c config) checkMattermost(e *env, wrong func(section, key, text string)) {
	m := c.Mattermost
	mm := func(key, text string) { wrong("mattermost", key, text) }
	if c.HTTP.Listen != "" {
		if _, port, err := net.SplitHostPort(c.HTTP.Listen); err != nil || port == "" {
			wrong("http", "listen", e.say("cli.config-listen-http"))
		}
	}
	if c.HTTP.PublicURL != "" && webAddress(c.HTTP.PublicURL) == nil {
		wrong("http", "public_url", e.say("cli.config-url"))
	}
	c.checkLibrary(e, wrong)
	if m.URL != "" && webAddress(m.URL) == nil {
		mm("url", e.say("cli.config-url"))
	}
	switch {
	case m.URL != "" && !m.Token.set() && m.TokenFile == "":
		mm("url", e.say("cli.config-token-missing"))
	case m.URL == "" && m.Token.set():
		mm("token", e.say("cli.config-token-alone"))
	}
	if strings.ContainsAny(m.Token.reveal(), " \t\r\n") {
		mm("token", e.say("cli.config-token-form"))
	}
	if m.CallbackSecret.set() && signingKey(m.CallbackSecret) == nil {
		mm("callback_secret", e.say("cli.config-secret-weak"))
	}
	tokens := reveal(m.CommandTokens)
	for i, token := range tokens {
		switch first := slices.Index(tokens, token); {
		case !commandToken.MatchString(token):
			mm("command_tokens", e.say("cli.config-command-token", "number", strconv.Itoa(i+1)))
		case first < i:
			mm("command_tokens", e.say("cli.config-command-twice", "first", strconv.Itoa(first+1), "second", strconv.Itoa(i+1)))
		}
	}
	if m.CallbackURL == "" {
		return
	}
	switch u := webAddress(m.CallbackURL); {
	case u == nil || !plainPath.MatchString(u.EscapedPath()) || path.Clean(u.Path) != u.Path || len(m.CallbackURL)+len("/command") > maxCommandURL:
		mm("callback_url", e.say("cli.config-callback-url"))
	case leadsToPlugins(u.Path):
		mm("callback_url", e.say("cli.config-callback-plugins"))
	}
	if m.URL == "" {
		mm("callback_url", e.say("cli.config-callback-alone"))
	}
	if c.HTTP.Listen == "" {
		mm("callback_url", e.say("cli.config-callback-listen"))
	}
	if !m.CallbackSecret.set() && m.CallbackSecretFile == "" {
		mm("callback_url", e.say("cli.config-callback-secret"))
	}
}

// leadsToPlugins says whether any part of a path begins with plugins. To such an address on its own host Mattermost sends
// the login token of whoever clicks. Its host may have names that this configuration does not know, and it may live below
// a path, so that no host and no depth is trusted.
func leadsToPlugins(p string) bool {
	return slices.ContainsFunc(strings.Split(strings.ToLower(p), "/"), func(part string) bool { return strings.HasPrefix(part, "plugins") })
}

// callbackPath is the path of callback_url.
func (c config) callbackPath() string {
	if u := webAddress(c.Mattermost.CallbackURL); u != nil {
		return u.Path
	}
	return ""
}

// userID is how Mattermost writes the ID of a person; a name that people log in with is shorter as a rule.
var userID = regexp.MustCompile(`^[a-z0-9]{26}$`)

// named splits listed accounts into those that are known as they stand and the names that only Mattermost can resolve.
func named(accounts []string) (known, names []string) {
	for _, a := range accounts {
		if name, ok := strings.CutPrefix(a, mattermost.Platform+":"); ok && !userID.MatchString(name) {
			names = append(names, strings.TrimPrefix(name, "@"))
			continue
		}
		known = append(known, a)
	}
	return known, names
}

// notes are what is allowed, and worth a second look.
func (c config) notes(e *env) (notes []string) {
	m := c.Mattermost
	if c.HTTP.Listen != "" && !loopback(c.HTTP.Listen) {
		notes = append(notes, e.say("cli.config-http-open"))
	}
	if u := webAddress(m.URL); u != nil && u.Scheme == "http" && !loopbackHost(u.Hostname()) {
		notes = append(notes, e.say("cli.config-mattermost-plain"))
	}
	if u := webAddress(m.CallbackURL); u != nil && u.Scheme == "http" && !loopbackHost(u.Hostname()) {
		notes = append(notes, e.say("cli.config-callback-plain"))
	}
	if m.URL != "" && m.CallbackURL == "" {
		notes = append(notes, e.say("cli.config-no-callback"))
	}
	if len(m.CommandTokens) > 0 && m.CallbackURL == "" {
		notes = append(notes, e.say("cli.config-command-alone"))
	}
	if p := path.Base(c.callbackPath()); m.CallbackURL != "" && len(p) < leastPath {
		notes = append(notes, e.say("cli.config-callback-guess"))
	}
	return append(append(notes, c.slackNotes(e)...), c.libraryNotes(e)...)
}

// leastPath is how long the last part of a path is that nobody guesses.
const leastPath = 16
