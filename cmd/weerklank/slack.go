package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weerklank/weerklank/bot/slack"
	"github.com/weerklank/weerklank/prompts"
)

// cmdSlack is `weerklank slack manifest [--config FILE] [--http-url URL] [--name NAME] [--lang nl|en] [--json]`: what an admin
// pastes at Slack to make the app.
func cmdSlack(_ context.Context, e *env, args []string) error {
	var path, base, name, lang string
	var asJSON bool
	rest, err := flags(e, "slack", args, func(fs *flag.FlagSet) {
		fs.StringVar(&path, "config", "", "")
		fs.StringVar(&base, "http-url", "", "")
		fs.StringVar(&name, "name", "Weerklank", "")
		fs.StringVar(&lang, "lang", string(e.lang), "")
		fs.BoolVar(&asJSON, "json", false, "")
	})
	if err != nil {
		return err
	}
	if len(rest) != 1 || rest[0] != "manifest" {
		return usageError{e.say("cli.slack-which")}
	}
	if lang != string(prompts.Dutch) && lang != string(prompts.English) {
		return usageError{e.say("cli.privacy-lang")}
	}
	base = strings.TrimRight(strings.TrimSpace(base), "/")
	if u := webAddress(base); base != "" && (u == nil || u.Scheme != "https") {
		return usageError{e.say("cli.slack-url")}
	}
	if path != "" {
		c, err := loadConfig(e, path)
		if err != nil {
			return err
		}
		base = cmp.Or(base, c.slackBase())
		if c.Slack.Transport == transportHTTP && base == "" {
			return hinted{errors.New("slack sends requests, and has no address for them"), e.say("cli.config-slack-no-public")}
		}
	}
	app, err := slack.Manifest(name, prompts.Lang(lang), base)
	if err != nil {
		return hinted{err, e.say("cli.hint-slack-manifest")}
	}
	write := app.YAML
	if asJSON {
		write = app.JSON
	}
	text, err := write()
	if err == nil {
		_, err = fmt.Fprintf(e.stdout, "%s", text)
	}
	return err
}

// presence is whether events of Slack come in.
type presence struct {
	in      chan struct{} // closed when they first do
	counted func()        // they do, or the others do not wait for it
	late    atomic.Bool   // they do not yet, though Slack did not refuse the bot either
}

// errAbsent is what health says of a Slack that gives no answer.
var errAbsent = errors.New("slack does not answer, so nothing that people do there comes in; weerklank doctor --online says more")

// slackConfig is what the adapter and the doctor get of the configuration.
func (c config) slackConfig() slack.Config {
	s := c.Slack
	return slack.Config{
		BotToken: s.BotToken.reveal(), AppToken: s.AppToken.reveal(), SigningSecret: s.SigningSecret.reveal(), APIURL: s.APIURL,
		HTTP: s.Transport == transportHTTP, PerSecond: float64(s.PerSecond),
	}
}

// buildSlack makes the adapter of the configured workspace.
func (p *parts) buildSlack() (*slack.Adapter, error) {
	c := p.c.slackConfig()
	p.present.in, p.present.counted = make(chan struct{}), sync.OnceFunc(p.begun)
	c.Mark = func(ctx context.Context) (time.Time, error) { return p.db.Mark(ctx, slack.Platform) }
	c.SetMark = func(ctx context.Context, at time.Time) error { return p.db.SetMark(ctx, slack.Platform, at) }
	c.OpenSince = func(ctx context.Context) (time.Time, error) { return p.bot.OpenSince(ctx) }
	c.Begun = func() {
		close(p.present.in)
		p.present.counted()
	}
	return slack.New(c, p.log)
}

// slackHealthy says what somebody must look at between the program and Slack.
func (p *parts) slackHealthy() error {
	if p.slk == nil {
		return nil
	}
	err := p.slk.Health()
	if err == nil && p.present.late.Load() {
		err = errAbsent
	}
	return err
}

// watchSlack lets the other platforms go on when Slack refuses the bot, or gives no answer within patience.
func (p *parts) watchSlack(ctx context.Context, patience time.Duration) {
	look := time.NewTicker(patience / 50)
	defer look.Stop()
	enough := time.NewTimer(patience)
	defer enough.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.present.in:
			p.present.late.Store(false)
			return
		case <-look.C:
			if p.slk.Health() != nil {
				p.present.counted()
			}
		case <-enough.C:
			p.present.late.Store(true)
			p.present.counted()
		}
	}
}
