package main

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/weerklank/weerklank/bot/slack"
)

// The transports of Slack: over a connection that the program opens, or as requests that Slack sends.
const (
	transportSocket = "socket"
	transportHTTP   = "http"
)

// slackURL is where Slack's Web API is.
const slackURL = "https://slack.com/api/"

// mostPerSecond is more than Slack takes of an app.
const mostPerSecond = 20

// memberID is how Slack writes the id of a person.
var memberID = regexp.MustCompile(`^[UW][A-Z0-9]{5,}$`)

// signingSecret is how Slack writes the secret that it signs requests with.
var signingSecret = regexp.MustCompile(`^[0-9a-f]{32}$`)

// slackOn says whether a workspace is configured.
func (c config) slackOn() bool { return c.Slack.BotToken.set() }

// slackHTTP says whether Slack sends requests to the program.
func (c config) slackHTTP() bool { return c.slackOn() && c.Slack.Transport == transportHTTP }

// checkSlack says what is wrong in [slack]. No message holds anything of a secret.
func (c config) checkSlack(e *env, wrong func(section, key, text string)) {
	s := c.Slack
	sl := func(key, text string) { wrong("slack", key, text) }
	for _, token := range []struct {
		key, begins, text string
		value             secret
	}{
		{"bot_token", "xoxb-", e.say("cli.config-slack-bot-token"), s.BotToken}, {"app_token", "xapp-", e.say("cli.config-slack-app-token"), s.AppToken},
	} {
		if v := token.value.reveal(); token.value.set() && (!strings.HasPrefix(v, token.begins) || len(v) == len(token.begins) || strings.ContainsAny(v, " \t\r\n")) {
			sl(token.key, token.text)
		}
	}
	if s.SigningSecret.set() && !signingSecret.MatchString(s.SigningSecret.reveal()) {
		sl("signing_secret", e.say("cli.config-slack-signing"))
	}
	if !s.BotToken.set() && s.BotTokenFile == "" { // one of the others was meant to do something
		for _, other := range []struct {
			key   string
			value secret
		}{{"app_token", s.AppToken}, {"signing_secret", s.SigningSecret}} {
			if other.value.set() {
				sl(other.key, e.say("cli.config-slack-alone"))
			}
		}
	}
	switch u := webAddress(s.APIURL); {
	case u == nil || !strings.HasSuffix(u.Path, "/api/"):
		sl("api_url", e.say("cli.config-slack-url"))
	case u.Scheme == "http" && !loopbackHost(u.Hostname()):
		sl("api_url", e.say("cli.config-slack-plain"))
	}
	if s.Transport != transportSocket && s.Transport != transportHTTP {
		sl("transport", e.say("cli.config-slack-transport"))
	}
	if s.PerSecond < 1 || s.PerSecond > mostPerSecond {
		sl("per_second", e.say("cli.config-slack-pace"))
	}
	if !plainPath.MatchString(s.Path) || path.Clean(s.Path) != s.Path {
		sl("path", e.say("cli.config-slack-path"))
	} else if other := c.callbackPath(); c.slackHTTP() && other != "" && (strings.HasPrefix(other+"/", s.Path+"/") || strings.HasPrefix(s.Path+"/", other+"/")) {
		sl("path", e.say("cli.config-slack-path-taken"))
	}
	switch {
	case !c.slackOn():
	case s.Transport == transportSocket && !s.AppToken.set() && s.AppTokenFile == "":
		sl("bot_token", e.say("cli.config-slack-no-app-token"))
	case s.Transport == transportHTTP:
		if !s.SigningSecret.set() && s.SigningSecretFile == "" {
			sl("transport", e.say("cli.config-slack-no-signing"))
		}
		if c.HTTP.Listen == "" {
			sl("transport", e.say("cli.config-slack-no-listen"))
		}
	}
	for key, accounts := range map[string][]string{"managers": c.Rights.Managers, "editors": c.Rights.Editors} {
		for _, a := range accounts {
			if id, ok := strings.CutPrefix(a, slack.Platform+":"); ok && !memberID.MatchString(id) {
				wrong("rights", key, e.say("cli.config-slack-member"))
			}
		}
	}
}

// slackMembers are the ids of listed people.
func (c config) slackMembers() (ids []string) {
	for _, a := range slices.Concat(c.Rights.Managers, c.Rights.Editors) {
		if id, ok := strings.CutPrefix(a, slack.Platform+":"); ok && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// slackNotes are what is allowed in [slack], and worth a second look.
func (c config) slackNotes(e *env) (notes []string) {
	switch {
	case !c.slackHTTP():
	case c.HTTP.PublicURL == "":
		notes = append(notes, e.say("cli.config-slack-no-public"))
	default:
		if u := webAddress(c.HTTP.PublicURL); u != nil && u.Scheme != "https" {
			notes = append(notes, e.say("cli.config-slack-public-plain"))
		}
	}
	return notes
}

// slackBase is the address below which Slack finds the program, for the manifest; empty: over Socket Mode it needs none.
func (c config) slackBase() string {
	if c.Slack.Transport != transportHTTP || c.HTTP.PublicURL == "" {
		return ""
	}
	return c.HTTP.PublicURL + c.Slack.Path
}
