package mattermost

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/mattermost/mattermost/server/public/model"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// doCommand is what a dialog does that asks whether a command was meant: Arg is the command.
const doCommand = "command"

// command takes the slash command. Its token proves that it comes from somebody who may register commands; the trigger, who
// gave it.
func (l *callbacks) command(w http.ResponseWriter, body []byte, start time.Time) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		refuse(w, http.StatusBadRequest)
		return
	}
	if !l.known(form.Get("token")) || form.Get("user_id") == "" || form.Get("channel_id") == "" {
		l.forged(w)
		return
	}
	type result struct {
		text   string
		status int
	}
	got, done := within(l, start, func(ctx context.Context) result {
		text, status := l.commanded(ctx, form, start)
		return result{text, status}
	})
	switch {
	case !done:
		got.text = locale.Say(prompts.Dutch, "mm.slow") + "\n\n" + locale.Say(prompts.English, "mm.slow") // whose it is was not asked yet
	case got.status == http.StatusUnauthorized:
		l.forged(w)
		return
	case got.status != http.StatusOK:
		refuse(w, got.status)
		return
	}
	if got.text == "" {
		answerJSON(w, struct{}{})
		return
	}
	answerJSON(w, model.CommandResponse{ResponseType: model.CommandResponseTypeEphemeral, Text: got.text, SkipSlackParsing: true})
}

func (l *callbacks) commanded(ctx context.Context, form url.Values, at time.Time) (string, int) {
	user, channel := form.Get("user_id"), form.Get("channel_id")
	t, err := l.triggered(ctx, form.Get("trigger_id"), user)
	if err != nil {
		return "", http.StatusUnauthorized
	}
	f, err := l.from(ctx, user, channel, at)
	lang := cmp.Or(f.Lang, prompts.English)
	switch {
	case errors.Is(err, errOutside):
		return locale.Say(lang, "mm.not-here"), http.StatusOK
	case err != nil:
		return locale.Say(lang, "mm.later"), http.StatusOK
	}
	if !l.first(t) {
		return "", http.StatusOK
	}
	text := form.Get("text")
	reach := bot.ReachOf(text)
	if f.Team == "" && reach != bot.ReachAll { // it cannot be counted on that a dialog opens there
		return locale.Say(lang, "mm.type-here"), http.StatusOK
	}
	state := dialogState{Lang: f.Lang, Channel: channel}
	if reach == bot.ReachAct {
		if l.confirm(ctx, user, form.Get("trigger_id"), state, offer{Do: doCommand, Arg: text, Label: text}) != nil {
			return locale.Say(lang, "mm.no-dialog"), http.StatusOK
		}
		return "", http.StatusOK
	}
	r, err := l.handle(ctx, bot.Command{From: f, Text: text})
	switch {
	case err != nil && r.Message == nil:
		return locale.Say(lang, "mm.later"), http.StatusOK
	case r.Form != nil, r.Message != nil && reach != bot.ReachAll: // a trigger says who, and not for which command it was made
		if l.show(ctx, user, form.Get("trigger_id"), state, r) != nil {
			return locale.Say(lang, "mm.no-dialog"), http.StatusOK
		}
		return "", http.StatusOK
	case r.Message != nil:
		text, err := renderText(*r.Message, false, false)
		if err != nil {
			return locale.Say(lang, "mm.later"), http.StatusOK
		}
		return text, http.StatusOK
	}
	return "", http.StatusOK
}

// known says whether a token is one of the command's. All are compared, in the same time.
func (l *callbacks) known(token string) bool {
	given, ok := sha256.Sum256([]byte(token)), 0
	for _, t := range l.tokens {
		want := sha256.Sum256([]byte(t))
		if t != "" {
			ok |= subtle.ConstantTimeCompare(given[:], want[:])
		}
	}
	return ok == 1
}
