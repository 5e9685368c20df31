package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/editor"
	"github.com/weerklank/weerklank/bot/mattermost"
	"github.com/weerklank/weerklank/bot/slack"
	"github.com/weerklank/weerklank/bot/workspace"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// shutdownTime is how long a clean end may take.
const shutdownTime = 10 * time.Second

// What stands in the data directory besides the store.
const (
	keysDir    = "keys"
	chatFile   = "workspace.jsonl"
	backupsDir = "backups"
)

// parts are the running program.
type parts struct {
	c       config
	demo    bool
	log     *slog.Logger
	root    *os.Root
	db      *store.DB
	keys    *store.Keys
	ws      *workspace.Adapter
	mm      *mattermost.Adapter // nil: no Mattermost server
	access  access              // to mm
	counted func()              // mm takes events, or does not let the bot in
	slk     *slack.Adapter      // nil: no Slack workspace
	present presence            // of slk
	web     *editor.Editor      // nil: the library is not on the web
	bot     *bot.Bot
	lib     prompts.Library
	grace   time.Duration // for all of stopping
	cleanup []closing

	wait     atomic.Int32  // chats that do not take events yet
	taking   chan struct{} // closed when all do
	stopping atomic.Bool

	backups    *backups     // nil: none by themselves
	lastBackup atomic.Int64 // seconds since 1970; 0: never
}

// closing is how a part is taken down.
type closing struct {
	name  string
	close func() error
}

// listening is a chat that says when it begins to take events.
type listening struct {
	*workspace.Adapter
	begun func()
}

// Run implements bot.Chat.
func (l listening) Run(ctx context.Context, h bot.Handler) error {
	l.Use(h)
	l.begun()
	return l.Adapter.Run(ctx, h)
}

// build makes the parts in order; on an error it takes down what it made. controls is for the demo only.
func build(ctx context.Context, e *env, c config, log *slog.Logger, controls func(*parts) *workspace.Controls) (p *parts, err error) {
	p = &parts{c: c, log: log, demo: controls != nil, grace: shutdownTime, taking: make(chan struct{})}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
			p = nil
		}
	}()
	if !socketFits(c) {
		return p, fmt.Errorf("data directory %s: %s", c.DataDir, e.say("cli.config-socket", "max", strconv.Itoa(maxSocket)))
	}
	if p.lib, err = prompts.Builtin(); err != nil {
		return p, err
	}
	if p.root, err = openData(e, c.DataDir); err != nil {
		return p, err
	}
	p.cleanup = append(p.cleanup, closing{"data directory", p.root.Close})
	keyRoot, err := openKeys(e, p.root, c.DataDir)
	if err != nil {
		return p, err
	}
	p.cleanup = append(p.cleanup, closing{"key slots", keyRoot.Close})
	p.keys = store.OpenKeys(keyRoot)
	if err := p.noLostStore(ctx, e); err != nil {
		return p, err
	}
	var closeStore func() error
	if p.db, closeStore, err = holdStore(ctx, e, c, p.root, log, e.say("cli.hint-locked")); err != nil {
		return p, err
	}
	p.cleanup = append(p.cleanup, closing{"store", closeStore})
	if err := p.noLostKeys(ctx, e); err != nil {
		return p, err
	}

	var chats []bot.Chat
	managers, _ := named(c.Rights.Managers)
	listed, _ := named(c.Rights.Editors)
	editors := actors(listed)
	if c.Workspace.Enabled {
		cfg := workspace.Config{Root: p.root, File: chatFile, Seed: workspace.DefaultSeed(), Zone: c.zone()}
		if controls != nil {
			cfg.Controls = controls(p)
		}
		if p.ws, err = workspace.New(cfg, log); err != nil {
			return p, err
		}
		p.cleanup = append(p.cleanup, closing{"workspace", p.ws.Close})
		chats = append(chats, listening{p.ws, p.begun})
		editors = append(editors, p.ws.Editors()...)
	}
	if c.Mattermost.URL != "" {
		p.counted = sync.OnceFunc(p.begun)
		if p.mm, err = p.buildMattermost(); err != nil {
			return p, err
		}
		chats = append(chats, p.mm)
	}
	if c.slackOn() {
		if p.slk, err = p.buildSlack(); err != nil {
			return p, err
		}
		chats = append(chats, p.slk)
	}
	if len(chats) == 0 {
		return p, hinted{errors.New("no platform is configured"), e.say("cli.hint-platform")}
	}
	p.wait.Store(int32(len(chats)))
	days, err := c.keepDays()
	if err != nil {
		return p, err
	}
	var entrance bot.Entrance
	if controls != nil || c.libraryOnWeb() {
		if p.web, err = p.buildLibrary(); err != nil {
			return p, err
		}
		entrance = p.web
	}
	p.bot, err = bot.New(bot.Options{
		Entrance: entrance,
		Store:    p.db, Keys: p.keys, Chats: chats, Log: log, Library: p.lib, Team: c.settings(), Activation: c.Team.Activation,
		Limits:   bot.Limits{MinReplies: c.Limits.MinReplies, MinMembers: c.Limits.MinMembers},
		KeepDays: days, Holidays: c.holidays, PublicSector: c.Organisation.PublicSector, Managers: actors(managers), Editors: editors,
		Help: bot.Help{Support: c.Help.Support, Scheme: c.Help.Scheme, Officer: c.Help.Officer}, Heavy: c.heavy, CaseNumbers: c.caseNumbers(),
	})
	if err == nil && p.web != nil {
		p.web.Use(p.bot)
	}
	return p, err
}

func openData(e *env, dir string) (*os.Root, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, hinted{fmt.Errorf("data directory: %w", err), e.say("cli.hint-data")}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, hinted{fmt.Errorf("data directory: %w", err), e.say("cli.hint-data")}
	}
	return root, nil
}

// openKeys opens the directory of the key slots. It may be a link to another disk, which the data directory's own root
// would not follow.
func openKeys(e *env, root *os.Root, dir string) (*os.Root, error) {
	if err := root.Mkdir(keysDir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("key slots: %w", err)
	}
	keys, err := os.OpenRoot(filepath.Join(dir, keysDir))
	if err != nil {
		return nil, hinted{fmt.Errorf("key slots: %w", err), e.say("cli.hint-keys")}
	}
	return keys, nil
}

// noLostKeys refuses to go on where rounds are open and there is no key slot at all, unless the store was just put back
// from a backup: most likely the keys lie on a disk that is not there, and a start would end those rounds as lost.
func (p *parts) noLostKeys(ctx context.Context, e *env) error {
	if p.c.keysLost {
		return nil
	}
	slots, err := p.keys.Slots(ctx)
	if err != nil || len(slots) > 0 {
		return err
	}
	if at, err := p.db.Restored(ctx); err != nil || !at.IsZero() {
		return err
	}
	teams, err := p.db.Teams(ctx)
	if err != nil {
		return err
	}
	for _, t := range teams {
		for _, id := range t.Boxes() {
			r, err := p.db.Round(ctx, id)
			if err == nil && (r.State == bot.RoundOpen || r.State == bot.RoundClosing) {
				return hinted{errors.New("rounds are open and there are no key slots"), e.say("cli.hint-keys-lost", "dir", filepath.Join(p.c.DataDir, keysDir))}
			}
		}
	}
	return nil
}

// noLostStore refuses to begin anew where key slots say that there was a store: a new one would know none of their rounds
// and destroy them, and a backup that is put back later would be of no use to anyone.
func (p *parts) noLostStore(ctx context.Context, e *env) error {
	if _, err := p.root.Stat(p.c.storeName()); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	slots, err := p.keys.Slots(ctx)
	if err != nil || len(slots) == 0 {
		return err
	}
	file, dir := filepath.Join(p.c.DataDir, p.c.storeName()), filepath.Join(p.c.DataDir, keysDir)
	return hinted{fmt.Errorf("the store %s is gone, and %s holds keys of its rounds", file, dir), e.say("cli.hint-store-gone", "file", file, "keys", dir)}
}

func (c config) storeName() string { return strings.TrimPrefix(c.Store.URL, "bbolt:") }

// running is a marker beside the store: it stands there while a process has the store open, and stays when that process
// did not end well, so that the next one can say so.
const running = "running"

// holdStore opens the store and marks it as in use. A child process checks the file before this one opens, and perhaps
// upgrades, it: what a disk, a copy or a power cut did to it is told in words. busy is the hint when another process has it.
func holdStore(ctx context.Context, e *env, c config, root *os.Root, log *slog.Logger, busy string) (db *store.DB, release func() error, err error) {
	name := c.storeName()
	_, storeErr := root.Stat(name)
	_, markErr := root.Stat(running)
	if storeErr == nil {
		if err := verifyApart(ctx, filepath.Join(c.DataDir, name)); err != nil {
			return nil, nil, explain(e, err, busy, hintDamaged(e, c))
		}
		if markErr == nil {
			log.Warn("the last run did not end well; the store was checked and is whole")
		}
	}
	if db, err = store.Open(root, name, store.Options{Timeout: 3 * time.Second}); err != nil {
		return nil, nil, explain(e, err, busy, hintDamaged(e, c))
	}
	if err := layFile(root, running, ""); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("mark the store as in use: %w", err), db.Close())
	}
	return db, func() error {
		unwell := db.Healthy()
		if err := db.Close(); err != nil || unwell != nil {
			return err
		}
		return errors.Join(root.Remove(running), syncDir(root))
	}, nil
}

// explain adds the next step to what is wrong with a store's file.
func explain(e *env, err error, busy, damaged string) error {
	switch {
	case errors.Is(err, store.ErrLocked):
		return hinted{err, busy}
	case errors.Is(err, store.ErrNewer):
		return hinted{err, e.say("cli.hint-newer")}
	case errors.Is(err, store.ErrDamaged):
		return hinted{err, damaged}
	}
	return err
}

// layFile writes a small file so that it lasts.
func layFile(root *os.Root, name, text string) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return syncDir(root)
}

func syncDir(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// close takes the parts down, last made first.
func (p *parts) close() error {
	var errs []error
	for _, c := range slices.Backward(p.cleanup) {
		if err := c.close(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	p.cleanup = nil
	return errors.Join(errs...)
}

// begun counts a chat that takes events now.
func (p *parts) begun() {
	if p.wait.Add(-1) == 0 {
		close(p.taking)
	}
}

// serve runs everything until ctx ends or a part fails, then stops in order: intake, handlers, loop, chats, store. All of
// stopping shares one deadline.
func (p *parts) serve(ctx context.Context, e *env, announce string) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	l := newListeners(ctx, p.log, fail)
	ended := make(chan struct{})
	var botErr error
	err := p.listen(l, e, announce, func() {
		botErr = p.bot.Run(ctx)
		if ctx.Err() == nil {
			fail(errors.New("the bot ended by itself"))
		}
		close(ended)
	})
	if err != nil {
		fail(nil)
		close(ended)
	}
	<-ctx.Done()
	if cause := context.Cause(ctx); err == nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	p.stopping.Store(true)
	p.log.Info("stopping")
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), p.grace)
	defer done()
	errs := []error{err}
	l.closeIntake(stop)
	select {
	case <-ended:
		if botErr != nil {
			errs = append(errs, fmt.Errorf("bot: %w", botErr))
		}
	case <-stop.Done():
		errs = append(errs, errors.New("bot: handlers did not end in time"))
	}
	errs = append(errs, l.close(stop))
	closed := make(chan error, 1)
	go func() { closed <- p.close() }()
	select {
	case err := <-closed:
		errs = append(errs, err)
	case <-stop.Done():
		errs = append(errs, errors.New("store: did not close in time")) // its marker stays: the next start looks at it
	}
	return errors.Join(errs...)
}

// listen opens every listener and starts the bot, and says where people find it once it takes what they do.
func (p *parts) listen(l *listeners, e *env, announce string, runBot func()) error {
	busy := func(err error, addr string) error { return hinted{err, e.say("cli.hint-listen", "addr", addr)} }
	var url string
	if p.ws != nil {
		addr, err := l.add("workspace", "tcp", p.c.Workspace.Listen, p.pages())
		if err != nil {
			return busy(err, p.c.Workspace.Listen)
		}
		url = "http://" + addr + "/"
		if p.demo {
			if err := p.web.At(url); err != nil {
				return err
			}
		}
	}
	if p.c.HTTP.Listen != "" {
		addr, err := l.add("http", "tcp", p.c.HTTP.Listen, p.callbacks(), outside)
		if err != nil {
			return busy(err, p.c.HTTP.Listen)
		}
		p.log.Info("http listener", "addr", addr)
	}
	if p.c.Admin.Listen != "" {
		addr, err := l.add("admin", "tcp", p.c.Admin.Listen, p.admin())
		if err != nil {
			return busy(err, p.c.Admin.Listen)
		}
		p.log.Info("admin listener", "addr", addr)
	}
	socket := filepath.Join(p.c.DataDir, controlSocket)
	os.Remove(socket) // a left-over of a killed process; the store's lock says that none is running
	if _, err := l.add("control socket", "unix", socket, p.control()); err != nil {
		return busy(err, socket)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return err
	}
	l.group.Go(func() { p.watch(l.ctx, l.fail) })
	l.group.Go(func() { p.watchLibrary(l.ctx, e) })
	if p.backups != nil {
		l.group.Go(func() { p.backups.run(l.ctx) })
	}
	if p.mm != nil {
		l.group.Go(func() { p.watchAccess(l.ctx, time.Minute) })
		l.group.Go(func() { p.appoint(l.ctx, time.Minute) })
	}
	if p.slk != nil {
		l.group.Go(func() { p.watchSlack(l.ctx, 10*time.Second) })
	}
	go runBot()
	select {
	case <-l.ctx.Done(): // why is told by whoever ended it
		return nil
	case <-p.taking:
	}
	if url != "" {
		fmt.Fprintf(e.stdout, "%s: %s\n", announce, url)
	}
	p.log.Info("started", "version", version())
	return nil
}

// watch ends the program when its store cannot be trusted any more.
func (p *parts) watch(ctx context.Context, fail context.CancelCauseFunc) {
	ticker := time.NewTicker(10 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.db.Broken():
			fail(store.ErrBroken)
			return
		case <-ticker.C:
			if err := p.db.Healthy(); err != nil {
				fail(err)
				return
			}
		}
	}
}

// healthy says what somebody must look at: a store that cannot be trusted, a ballot that does not open, a platform that
// does not let the bot in. Starting anew helps against the first only.
func (p *parts) healthy() error {
	return errors.Join(
		p.db.Healthy(),
		p.bot.Healthy(),
		p.mattermostHealthy(),
		p.slackHealthy(),
	)
}

// ready says why the program does not take what people do: not yet, or not any more. What troubles one round or one
// platform keeps nobody from the others.
func (p *parts) ready() error {
	select {
	case <-p.taking:
	default:
		return errors.New("starting")
	}
	if p.stopping.Load() {
		return errors.New("stopping")
	}
	return p.db.Healthy()
}

// admin serves health and metrics. There are no counts of replies: a scrape every few seconds would be a timing log.
func (p *parts) admin() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "weerklank_backup_last_success_timestamp_seconds",
		Help: "When the last good backup was made, in seconds since 1970; 0: never.",
	}, func() float64 { return float64(p.lastBackup.Load()) }))
	mux := http.NewServeMux()
	answer := func(path, good string, check func() error) {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			if err := check(); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			io.WriteString(w, good+"\n")
		})
	}
	answer("/livez", "alive", p.db.Healthy)
	answer("/healthz", "ok", p.healthy)
	answer("/readyz", "ready", p.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	return mux
}

// cmdRun is `weerklank run --config FILE`.
func cmdRun(ctx context.Context, e *env, args []string) error {
	var path string
	var keysLost bool
	rest, err := flags(e, "run", args, func(fs *flag.FlagSet) {
		fs.StringVar(&path, "config", "", "")
		fs.BoolVar(&keysLost, "keys-lost", false, "")
	})
	if err != nil {
		return err
	}
	if path == "" || len(rest) > 0 {
		return usageError{e.say("cli.run-config")}
	}
	c, err := loadConfig(e, path)
	if err != nil {
		return err
	}
	c.keysLost = keysLost
	p, err := build(ctx, e, c, newLog(c, e.stderr), nil)
	if err != nil {
		return err
	}
	if err := p.scheduleBackups(); err != nil {
		return errors.Join(err, p.close())
	}
	return explainEnd(e, c, p.serve(ctx, e, "Weerklank"))
}

// explainEnd adds the next step to why a run ended by itself.
func explainEnd(e *env, c config, err error) error {
	switch {
	case errors.Is(err, store.ErrReplaced):
		return hinted{err, e.say("cli.hint-replaced", "file", filepath.Join(c.DataDir, c.storeName()))}
	case errors.Is(err, store.ErrBroken):
		return hinted{err, e.say("cli.hint-broken")}
	}
	return err
}
