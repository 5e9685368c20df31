package main

import (
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
	if online && c.Mattermost.URL != "" {
		d.online(ctx, c)
	}
	return d.end(online)
}

// diagnosis is what the doctor has said so far.
type diagnosis struct {
	e            *env
	musts, notes int
}

func (d *diagnosis) say(level mattermost.Level, text string) {
	lead := map[mattermost.Level]string{
		mattermost.Must: d.e.say("cli.doctor-must"), mattermost.Should: d.e.say("cli.doctor-should"), mattermost.Good: d.e.say("cli.doctor-good"),
	}[level]
	switch level {
	case mattermost.Must:
		d.musts++
	case mattermost.Should:
		d.notes++
	}
	fmt.Fprintln(d.e.stdout, lead+" "+text)
}

// offline says what the configuration alone shows. What is wrong in it was told before, with row and column.
func (d *diagnosis) offline(c config) {
	d.say(mattermost.Good, d.e.say("cli.config-ok"))
	if c.Mattermost.URL == "" {
		d.say(mattermost.Must, d.e.say("cli.doctor-no-url"))
		return
	}
	if c.Help.Adviser == "" {
		d.say(mattermost.Should, d.e.say("cli.doctor-adviser"))
	}
	for _, note := range c.notes(d.e) {
		d.say(mattermost.Should, note)
	}
}

// online says what the server shows. Its callback goes to the running bot, or to the doctor while none runs.
func (d *diagnosis) online(ctx context.Context, c config) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var teams []teamStatus
	if _, err := os.Stat(filepath.Join(c.DataDir, c.storeName())); err == nil { // else nothing is switched on yet
		if teams, _, err = statuses(ctx, d.e, c); err != nil {
			d.say(mattermost.Should, d.e.say("cli.doctor-no-store"))
		}
	}
	var want mattermost.Expected
	for _, t := range teams {
		if t.State == bot.TeamOn || t.State == bot.TeamJoining || t.State == bot.TeamResting {
			want.Teams = append(want.Teams, t.Team)
		}
		if t.State == bot.TeamGone {
			want.Gone = append(want.Gone, t.Team)
		}
	}
	_, managers := named(c.Rights.Managers)
	_, editors := named(c.Rights.Editors)
	want.Names = slices.Compact(slices.Sorted(slices.Values(slices.Concat(managers, editors))))
	if c.Mattermost.CallbackURL != "" {
		defer d.lendCallback(ctx, cancel, c)()
	}
	for _, f := range mattermost.Check(ctx, c.mattermostConfig(), want) {
		d.say(f.Level, d.e.say(f.Key, f.Pairs...))
	}
}

// lendCallback answers probes on the configured listener for as long as the doctor looks, unless the bot does.
func (d *diagnosis) lendCallback(ctx context.Context, cancel context.CancelFunc, c config) (end func()) {
	l := newListeners(ctx, slog.New(slog.DiscardHandler), func(error) {})
	h, err := lend(c)
	if err == nil {
		_, err = l.add("http", "tcp", c.HTTP.Listen, h)
	}
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		d.say(mattermost.Good, d.e.say("cli.doctor-busy", "addr", c.HTTP.Listen))
	case err != nil:
		d.say(mattermost.Must, d.e.say("cli.doctor-listen", "addr", c.HTTP.Listen))
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
