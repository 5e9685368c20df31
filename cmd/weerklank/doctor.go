package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/mattermost"
	"github.com/weerklank/weerklank/bot/slack"
)

// cmdDoctor is `weerklank doctor --config FILE [--online] [--setup]`: what is not right for the bot to work on its server,
// each with the one thing to do. What only deserves a look does not fail.
func cmdDoctor(ctx context.Context, e *env, args []string) error {
	var path string
	var online, setup bool
	rest, err := flags(e, "doctor", args, func(fs *flag.FlagSet) {
		fs.StringVar(&path, "config", "", "")
		fs.BoolVar(&online, "online", false, "")
		fs.BoolVar(&setup, "setup", false, "")
	})
	if err != nil {
		return err
	}
	if path == "" || len(rest) > 0 {
		return usageError{e.say("cli.doctor-config")}
	}
	c, err := loadConfig(e, path)
	if setup { // also before there is a token: this is how one comes to it
		fmt.Fprintln(e.stdout, setupGuide(e, c, path))
	}
	if err != nil || setup && !online {
		return err
	}
	d := diagnosis{e: e}
	d.offline(c)
	if online && (c.Mattermost.URL != "" || c.slackOn()) {
		d.online(ctx, c)
	}
	return d.end(online)
}

// diagnosis is what the doctor has said so far.
type diagnosis struct {
	e            *env
	musts, notes int
}

func (d *diagnosis) say(level bot.Level, text string) {
	lead := map[bot.Level]string{
		bot.Must: d.e.say("cli.doctor-must"), bot.Should: d.e.say("cli.doctor-should"), bot.Good: d.e.say("cli.doctor-good"),
	}[level]
	switch level {
	case bot.Must:
		d.musts++
	case bot.Should:
		d.notes++
	}
	fmt.Fprintln(d.e.stdout, lead+" "+text)
}

// offline says what the configuration alone shows. What is wrong in it was told before, with row and column.
func (d *diagnosis) offline(c config) {
	d.say(bot.Good, d.e.say("cli.config-ok"))
	for _, line := range c.libraryTrouble(d.e) {
		d.say(bot.Must, d.e.say("cli.doctor-library", "problem", line))
	}
	if c.Mattermost.URL == "" && !c.slackOn() {
		d.say(bot.Must, d.e.say("cli.doctor-no-url"))
		return
	}
	if c.slackOn() {
		for _, f := range slack.CheckOffline() {
			d.say(f.Level, d.e.say(f.Key, f.Pairs...))
		}
	}
	if c.Help.Adviser == "" {
		d.say(bot.Should, d.e.say("cli.doctor-adviser"))
	}
	for _, note := range c.notes(d.e) {
		d.say(bot.Should, note)
	}
}

// online says what the platforms show. What they send goes to the running bot, or to the doctor while none runs.
func (d *diagnosis) online(ctx context.Context, c config) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var teams []teamStatus
	var running bool
	if _, err := os.Stat(filepath.Join(c.DataDir, c.storeName())); err == nil { // else nothing is switched on yet
		if teams, running, err = statuses(ctx, d.e, c); err != nil {
			d.say(bot.Should, d.e.say("cli.doctor-no-store"))
		}
	}
	var on, gone []bot.TeamID
	for _, t := range teams {
		if t.State == bot.TeamOn || t.State == bot.TeamJoining || t.State == bot.TeamResting {
			on = append(on, t.Team)
		}
		if t.State == bot.TeamGone {
			gone = append(gone, t.Team)
		}
	}
	if c.Mattermost.CallbackURL != "" || c.slackHTTP() {
		defer d.lendCallback(ctx, cancel, c)()
	}
	var found []bot.Finding
	if c.Mattermost.URL != "" {
		_, names := named(slices.Concat(c.Rights.Managers, c.Rights.Editors))
		found = mattermost.Check(ctx, c.mattermostConfig(), mattermost.Expected{Teams: on, Gone: gone, Names: slices.Compact(slices.Sorted(slices.Values(names)))})
	}
	if c.slackOn() {
		found = append(found, slack.Check(ctx, c.slackConfig(), slack.Expected{Teams: on, Gone: gone, Members: c.slackMembers(), Base: c.slackBase(), Running: running})...)
	}
	for _, f := range found {
		d.say(f.Level, d.e.say(f.Key, f.Pairs...))
	}
}

// lendCallback answers probes on the configured listener for as long as the doctor looks, unless the bot does.
func (d *diagnosis) lendCallback(ctx context.Context, cancel context.CancelFunc, c config) (end func()) {
	l := newListeners(ctx, slog.New(slog.DiscardHandler), func(error) {})
	h, err := lend(c)
	if err == nil {
		_, err = l.add("http", "tcp", c.HTTP.Listen, h, outside)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		d.say(bot.Good, d.e.say("cli.doctor-busy", "addr", c.HTTP.Listen))
	case err != nil:
		d.say(bot.Must, d.e.say("cli.doctor-listen", "addr", c.HTTP.Listen))
	}
	return func() {
		stop, done := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer done()
		cancel()
		l.closeIntake(stop)
		_ = l.close(stop) // nothing of the doctor's own is under way
	}
}

// end says how it went.
func (d *diagnosis) end(online bool) error {
	if !online {
		fmt.Fprintln(d.e.stdout, d.e.say("cli.doctor-offline"))
	}
	if d.musts == 0 {
		fmt.Fprintln(d.e.stdout, d.e.say("cli.doctor-well", "notes", strconv.Itoa(d.notes)))
		return nil
	}
	return errors.New(d.e.say("cli.doctor-ill", "count", strconv.Itoa(d.musts)))
}

// setupGuide is what an admin of the server clicks or runs, with the values of this configuration.
func setupGuide(e *env, c config, file string) string {
	if c.slackOn() || c.Slack.BotTokenFile != "" {
		guide := slackGuide(e, c, file)
		if c.Mattermost.URL == "" {
			return guide
		}
		return mattermostGuide(e, c, file) + "\n\n" + guide
	}
	return mattermostGuide(e, c, file)
}

// slackGuide is what an admin of a Slack workspace clicks.
func slackGuide(e *env, c config, file string) string {
	manifest, next := "weerklank slack manifest", e.say("cli.setup-slack-socket") // which needs no configuration yet
	if c.Slack.Transport == transportHTTP {
		base := cmp.Or(c.slackBase(), "https://bot.example.org"+c.Slack.Path)
		manifest += " --http-url " + base
		next = e.say("cli.setup-slack-http", "url", base, "listen", c.HTTP.Listen)
	}
	return e.say("cli.setup-slack-app", "manifest", manifest) + "\n" + next + "\n" + e.say("cli.setup-slack-channel") + "\n\n" + e.say("cli.setup-end", "file", file)
}

func mattermostGuide(e *env, c config, file string) string {
	m := c.Mattermost
	url := m.URL
	if url == "" {
		url = "https://chat.example.org"
	}
	guide := e.say("cli.setup-account", "url", url)
	if m.CallbackURL == "" {
		return guide + "\n\n" + e.say("cli.setup-typed") + "\n\n" + e.say("cli.setup-end", "file", file)
	}
	host := ""
	if u := webAddress(m.CallbackURL); u != nil {
		host = u.Hostname()
	}
	return guide + "\n\n" + e.say("cli.setup-callback", "callback", m.CallbackURL, "host", host, "listen", c.HTTP.Listen) +
		"\n\n" + e.say("cli.setup-command", "command", m.CallbackURL+"/command") + "\n\n" + e.say("cli.setup-end", "file", file)
}
