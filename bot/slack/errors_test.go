package slack_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/slack"
	"github.com/weerklank/weerklank/bot/slack/slacktest"
	"github.com/weerklank/weerklank/prompts"
)

func plain(text string) bot.Message {
	return bot.Message{Lang: prompts.Dutch, Blocks: []bot.Block{{Kind: bot.BlockText, Spans: []bot.Span{{Text: text}}}}}
}

// outcome is an error in the words of the port.
func outcome(err error) string {
	var retry *bot.RetryError
	switch {
	case err == nil:
		return "done"
	case errors.As(err, &retry):
		return "retry"
	case errors.Is(err, bot.ErrUncertain):
		return "uncertain"
	case errors.Is(err, bot.ErrForeign):
		return "foreign"
	case errors.Is(err, bot.ErrGone):
		return "gone"
	case errors.Is(err, bot.ErrNotFound):
		return "not found"
	case errors.Is(err, bot.ErrUnauthorised):
		return "unauthorised"
	}
	return "failed"
}

// desk is an adapter at a workspace, which does not take events.
type desk struct {
	s            *slacktest.Server
	a            *heard
	crew, fatima string
	team         bot.TeamID
	log          *chattest.Log
}

func newDesk(t *testing.T) *desk {
	d := &desk{s: slacktest.Start(t, slacktest.Options{Scopes: scopes()}), log: &chattest.Log{}}
	d.fatima = d.s.AddUser(slacktest.User{Name: "fatima", Locale: "nl-NL"})
	d.crew = d.s.AddChannel(slacktest.Channel{Name: "buitendienst", Members: []string{d.s.Bot(), d.fatima}})
	d.a = open(t, d.s, &chattest.Marks{}, d.log)
	d.a.Hurry(slack.Tempo{CallTime: 400 * time.Millisecond})
	if _, err := d.a.Self(t.Context()); err != nil {
		t.Fatal(err)
	}
	d.team = bot.TeamID("slack:" + d.s.Team() + "/" + d.crew)
	return d
}

func scopes() []string { return append(slacktest.DefaultScopes(), "im:read") }

// What comes of each thing that can go wrong with a call, and what stands in the workspace then. A message is tried once, and
// never stands there twice.
func TestErrorTable(t *testing.T) {
	const post, update, dm, info, members = "chat.postMessage", "chat.update", "conversations.open", "conversations.info", "conversations.members"
	f := func(x slacktest.Fault) *slacktest.Fault { return &x }
	type row struct {
		act    string // post, thread, direct, edit, count, manages, channels
		call   string // that goes wrong, once
		fault  *slacktest.Fault
		do     func(*desk) // before
		want   string
		stand  int // of the new text
		called int // how often; zero: once
	}
	table := map[string]row{
		"post":                      {act: "post", want: "done", stand: 1},
		"post read only":            {act: "post", call: post, fault: f(slacktest.Code("restricted_action_read_only_channel")), want: "gone"},
		"post not a member":         {act: "post", do: func(d *desk) { d.s.Leave(d.crew, d.s.Bot()) }, want: "gone"},
		"post archived":             {act: "post", do: func(d *desk) { d.s.Archive(d.crew) }, want: "gone"},
		"post deleted":              {act: "post", do: func(d *desk) { d.s.DeleteChannel(d.crew) }, want: "gone"},
		"post revoked":              {act: "post", do: func(d *desk) { d.s.RevokeToken(false, "token_revoked") }, want: "unauthorised"},
		"post full":                 {act: "post", do: func(d *desk) { d.s.Set(func(s *slacktest.Settings) { s.MessageLimit = true }) }, want: "failed"},
		"post under a missing root": {act: "thread", want: "failed"},
		"post without the scope":    {act: "post", do: func(d *desk) { d.s.SetScopes(false, "commands") }, want: "failed"},
		"post bad blocks":           {act: "post", call: post, fault: f(slacktest.Code("invalid_blocks")), want: "done", stand: 1, called: 2},
		"post long blocks":          {act: "post", call: post, fault: f(slacktest.Code("msg_blocks_too_long")), want: "done", stand: 1, called: 2},
		"post 429":                  {act: "post", call: post, fault: f(slacktest.Limited("7")), want: "retry"},
		"post 429 without a time":   {act: "post", call: post, fault: f(slacktest.Limited("")), want: "retry"},
		"post ratelimited with 200": {act: "post", call: post, fault: f(slacktest.Code("ratelimited")), want: "retry"},
		"post 500 before":           {act: "post", call: post, fault: f(slacktest.Broken(500, false)), want: "uncertain"},
		"post 503 after":            {act: "post", call: post, fault: f(slacktest.Broken(503, true)), want: "uncertain", stand: 1},
		"post unread":               {act: "post", call: post, fault: f(slacktest.UnreadCut()), want: "uncertain"},
		"post cut before":           {act: "post", call: post, fault: f(slacktest.LostCut()), want: "uncertain"},
		"post cut after":            {act: "post", call: post, fault: f(slacktest.DoneCut()), want: "uncertain", stand: 1},
		"post cut in the answer":    {act: "post", call: post, fault: f(slacktest.DoneHalf()), want: "uncertain", stand: 1},
		"post without an answer":    {act: "post", call: post, fault: f(slacktest.DoneHang()), want: "uncertain", stand: 1},
		"post page 200 of a proxy":  {act: "post", call: post, fault: f(slacktest.Page(200)), want: "uncertain"},
		"post page 502 of a proxy":  {act: "post", call: post, fault: f(slacktest.Page(502)), want: "uncertain"},
		"post page 403 of a proxy":  {act: "post", call: post, fault: f(slacktest.Page(403)), want: "retry"},
		"post redirected":           {act: "post", call: post, fault: f(slacktest.Redirected("http://127.0.0.1:1/")), want: "retry"},
		"post, nobody listens":      {act: "post", do: func(d *desk) { d.s.Stop(); d.until("retry") }, want: "retry", called: -1},

		"direct":                      {act: "direct", want: "done", stand: 1},
		"direct revoked":              {act: "direct", do: func(d *desk) { d.s.RevokeToken(false, "invalid_auth") }, want: "unauthorised", called: -1},
		"direct 429 on opening":       {act: "direct", call: dm, fault: f(slacktest.Limited("1")), want: "retry", called: -1},
		"direct 500 on opening":       {act: "direct", call: dm, fault: f(slacktest.Broken(500, true)), want: "retry", called: -1},
		"direct cut on opening":       {act: "direct", call: dm, fault: f(slacktest.DoneCut()), want: "retry", called: -1},
		"direct to nobody":            {act: "direct", call: dm, fault: f(slacktest.Code("user_not_found")), want: "not found", called: -1},
		"direct to who is not seen":   {act: "direct", call: dm, fault: f(slacktest.Code("user_not_visible")), want: "not found", called: -1},
		"direct, account deactivated": {act: "direct", do: func(d *desk) { d.s.ChangeUser(d.fatima, func(u *slacktest.User) { u.Deleted = true }) }, want: "not found", called: -1},
		"direct, deactivated between": {act: "direct", call: post, fault: f(slacktest.Code("user_disabled")), want: "not found"},
		"direct no messages tab":      {act: "direct", do: func(d *desk) { d.s.Set(func(s *slacktest.Settings) { s.MessagesOff = true }) }, want: "failed"},
		"direct 429":                  {act: "direct", call: post, fault: f(slacktest.Limited("1")), want: "retry"},
		"direct cut after":            {act: "direct", call: post, fault: f(slacktest.DoneCut()), want: "uncertain", stand: 1},
		"direct page 200":             {act: "direct", call: post, fault: f(slacktest.Page(200)), want: "uncertain"},

		"edit":                      {act: "edit", want: "done", stand: 1},
		"edit revoked":              {act: "edit", do: func(d *desk) { d.s.RevokeToken(false, "account_inactive") }, want: "unauthorised"},
		"edit of what was deleted":  {act: "edit", call: update, fault: f(slacktest.Code("message_not_found")), want: "not found"},
		"edit of another's message": {act: "edit", call: update, fault: f(slacktest.Code("cant_update_message")), want: "not found"},
		"edit archived":             {act: "edit", do: func(d *desk) { d.s.Archive(d.crew) }, want: "gone"},
		"edit not a member":         {act: "edit", call: update, fault: f(slacktest.Code("channel_not_found")), want: "gone"},
		"edit too late for Slack":   {act: "edit", call: update, fault: f(slacktest.Code("edit_window_closed")), want: "failed"},
		"edit 429":                  {act: "edit", call: update, fault: f(slacktest.Limited("1")), want: "retry"},
		"edit 500 after":            {act: "edit", call: update, fault: f(slacktest.Broken(500, true)), want: "uncertain", stand: 1},
		"edit cut before":           {act: "edit", call: update, fault: f(slacktest.LostCut()), want: "uncertain"},
		"edit cut in the answer":    {act: "edit", call: update, fault: f(slacktest.DoneHalf()), want: "uncertain", stand: 1},

		"count":                   {act: "count", want: "done"},
		"count revoked":           {act: "count", do: func(d *desk) { d.s.RevokeToken(false, "token_revoked") }, want: "unauthorised"},
		"count archived":          {act: "count", do: func(d *desk) { d.s.Archive(d.crew) }, want: "gone"},
		"count not a member":      {act: "count", do: func(d *desk) { d.s.Leave(d.crew, d.s.Bot()) }, want: "gone"},
		"count deleted":           {act: "count", do: func(d *desk) { d.s.DeleteChannel(d.crew) }, want: "gone"},
		"count shared":            {act: "count", do: func(d *desk) { d.s.Share(d.crew) }, want: "foreign"},
		"count 429":               {act: "count", call: info, fault: f(slacktest.Limited("1")), want: "retry"},
		"count 500 of members":    {act: "count", call: members, fault: f(slacktest.Broken(500, false)), want: "retry"},
		"count 500 of a person":   {act: "count", call: "users.info", fault: f(slacktest.Broken(500, false)), want: "retry"},
		"count, a person is gone": {act: "count", call: "users.info", fault: f(slacktest.Code("user_not_found")), want: "done"},
		"manages 500":             {act: "manages", call: "users.info", fault: f(slacktest.Broken(500, false)), want: "failed"},
		"manages 429":             {act: "manages", call: members, fault: f(slacktest.Limited("1")), want: "retry"},
		"manages revoked":         {act: "manages", do: func(d *desk) { d.s.RevokeToken(false, "token_revoked") }, want: "unauthorised"},
		"manages, channel gone":   {act: "manages", do: func(d *desk) { d.s.DeleteChannel(d.crew) }, want: "done"},
		"channels 429":            {act: "channels", call: "users.conversations", fault: f(slacktest.Limited("1")), want: "retry"},
		"channels revoked":        {act: "channels", do: func(d *desk) { d.s.RevokeToken(false, "token_revoked") }, want: "unauthorised"},
		"channels, one is gone":   {act: "channels", call: members, fault: f(slacktest.Code("channel_not_found")), want: "done"},
	}
	for _, code := range []string{"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "restricted_action_thread_only_channel",
		"restricted_action_non_threadable_channel", "restricted_action_thread_locked", "ekm_access_denied"} {
		table["post "+code] = row{act: "post", call: post, fault: f(slacktest.Code(code)), want: "gone"}
	}
	for _, code := range []string{"internal_error", "fatal_error", "request_timeout", "service_unavailable"} {
		table["post "+code] = row{act: "post", call: post, fault: f(slacktest.Code(code)), want: "uncertain"}
		table["post done "+code] = row{act: "post", call: post, fault: f(slacktest.DoneCode(code)), want: "uncertain", stand: 1}
		table["edit done "+code] = row{act: "edit", call: update, fault: f(slacktest.DoneCode(code)), want: "uncertain", stand: 1}
	}
	for _, code := range []string{"not_authed", "invalid_auth", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type", "org_login_required", "team_access_not_granted", "enterprise_is_restricted"} {
		table["post "+code] = row{act: "post", call: post, fault: f(slacktest.Code(code)), want: "unauthorised"}
	}
	for _, code := range []string{"message_limit_exceeded", "no_text", "msg_too_long", "too_many_attachments", "no_permission", "missing_scope", "a_new_code", "Odd <code> & text"} {
		table["post "+code] = row{act: "post", call: post, fault: f(slacktest.Code(code)), want: "failed"}
	}
	for name, c := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			ctx, user := context.Background(), bot.Account("slack", "", d.fatima)
			old := bot.Ref("1.000001")
			if c.act == "edit" {
				var err error
				if old, err = d.a.Post(ctx, d.team, plain("het oude"), "", "oud"); err != nil {
					t.Fatal(err)
				}
			}
			before := d.s.Calls(post)
			if c.call != "" {
				d.s.Fail(1, c.call, "", *c.fault)
			}
			if c.do != nil {
				c.do(d)
			}
			var err error
			switch c.act {
			case "post":
				_, err = d.a.Post(ctx, d.team, plain("het nieuwe"), "", "sleutel")
			case "thread":
				_, err = d.a.Post(ctx, d.team, plain("het nieuwe"), "1600000000.000001", "sleutel")
			case "direct":
				err = d.a.Direct(ctx, user, plain("het nieuwe"), "sleutel")
			case "edit":
				err = d.a.Edit(ctx, d.team, old, plain("het nieuwe"))
			case "count":
				_, err = d.a.Count(ctx, d.team)
			case "manages":
				_, err = d.a.Manages(ctx, user, d.team)
			case "channels":
				_, err = d.a.Channels(ctx, user)
			}
			if got := outcome(err); got != c.want {
				t.Errorf("%s, not %s: %v", got, c.want, err)
			}
			if err != nil && strings.Contains(err.Error(), d.fatima) || strings.Contains(d.log.String(), "nieuwe") {
				t.Errorf("an error or the log tells too much: %v %s", err, d.log)
			}
			n := 0
			for _, m := range append(d.s.Channel(d.crew), d.s.DM(d.fatima)...) {
				n += strings.Count(m.Seen(), "het nieuwe")
			}
			if n != c.stand {
				t.Errorf("it stands there %d times, not %d", n, c.stand)
			}
			if c.called == 0 {
				c.called = 1
			}
			if n := d.s.Calls(post) - before; (c.act == "post" || c.act == "thread" || c.act == "direct") && c.called > 0 && n != c.called {
				t.Errorf("tried %d times, not %d", n, c.called)
			}
			if p := d.s.Problems(); len(p) > 0 {
				t.Error(p)
			}
		})
	}
}

// until posts until that comes of it: connections that the server closed are gone then.
func (d *desk) until(want string) {
	d.s.Await(want, func() bool {
		_, err := d.a.Count(context.Background(), d.team)
		return outcome(err) == want
	})
}

// How long a limit says is how long the outbox waits, and a limit of one channel or method holds up no other.
func TestErrorWaits(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	other := d.s.AddChannel(slacktest.Channel{Name: "ander", Members: []string{d.s.Bot()}})
	d.s.Fail(1, "chat.postMessage", d.crew, slacktest.Limited("17"))
	_, err := d.a.Post(ctx, d.team, plain("een"), "", "a")
	var later *bot.RetryError
	if !errors.As(err, &later) || later.After < 16*time.Second || later.After > 18*time.Second {
		t.Errorf("%v", err)
	}
	if _, err := d.a.Post(ctx, d.team, plain("een"), "", "a"); !errors.As(err, &later) || later.After < 15*time.Second || d.s.Calls("chat.postMessage") != 1 {
		t.Errorf("within the limit: %v", err)
	}
	if _, err := d.a.Post(ctx, bot.TeamID("slack:"+d.s.Team()+"/"+other), plain("twee"), "", "b"); err != nil {
		t.Errorf("another channel: %v", err)
	}
}

// A post with the same key is not said twice while the program runs.
func TestErrorSameKey(t *testing.T) {
	d := newDesk(t)
	ctx := t.Context()
	ref, err := d.a.Post(ctx, d.team, plain("eenmaal"), "", "sleutel")
	again, err2 := d.a.Post(ctx, d.team, plain("eenmaal"), "", "sleutel")
	user := bot.Account("slack", "", d.fatima)
	err3, err4 := d.a.Direct(ctx, user, plain("ook eenmaal"), "ander"), d.a.Direct(ctx, user, plain("ook eenmaal"), "ander")
	if err := errors.Join(err, err2, err3, err4); err != nil || ref != again || d.s.Calls("chat.postMessage") != 2 {
		t.Errorf("%s %s %d: %v", ref, again, d.s.Calls("chat.postMessage"), err)
	}
}

// Whether Slack lets the bot in, and what health says where it does not.
func TestErrorAdmitted(t *testing.T) {
	for _, code := range []string{"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"} {
		d := newDesk(t)
		d.s.RevokeToken(false, code)
		err := slack.Admitted(t.Context(), slack.Config{BotToken: d.s.BotToken(), APIURL: d.s.URL()})
		if !errors.Is(err, bot.ErrUnauthorised) || !strings.Contains(err.Error(), "bot_token") || !strings.Contains(err.Error(), code) || strings.Contains(err.Error(), d.s.BotToken()) {
			t.Errorf("%s: %v", code, err)
		}
	}
	d := newDesk(t)
	c := slack.Config{BotToken: d.s.BotToken(), APIURL: d.s.URL()}
	if err := slack.Admitted(t.Context(), c); err != nil {
		t.Error(err)
	}
	d.s.Fail(1, "auth.test", "", slacktest.Broken(503, false))
	if err := slack.Admitted(t.Context(), c); err == nil || errors.Is(err, bot.ErrUnauthorised) {
		t.Errorf("no answer: %v", err)
	}
	for _, broken := range []slack.Config{{}, {BotToken: "x"}, {BotToken: "x", HTTP: true, AppToken: "y"}} {
		if _, err := slack.New(broken, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%+v is taken", broken)
		}
	}
}
