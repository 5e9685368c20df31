package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/workspace"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// shutdownTime is how long a clean end may take.
const shutdownTime = 10 * time.Second

// parts are the running program.
type parts struct {
	c       config
	log     *slog.Logger
	root    *os.Root
	db      *store.DB
	keys    *store.Keys
	ws      *workspace.Adapter
	bot     *bot.Bot
	lib     prompts.Library
	ready   atomic.Bool
	cleanup []func() error
}

// build makes the parts in order; on an error it takes down what it made. controls is for the demo only.
func build(e *env, c config, log *slog.Logger, controls func(*parts) *workspace.Controls) (p *parts, err error) {
	p = &parts{c: c, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
			p = nil
		}
	}()
	if p.lib, err = prompts.Builtin(); err != nil {
		return p, err
	}
	if p.root, err = openData(e, c.DataDir); err != nil {
		return p, err
	}
	p.cleanup = append(p.cleanup, p.root.Close)
	if err := p.openStore(e); err != nil {
		return p, err
	}
	keyRoot, err := subdir(p.root, "keys")
	if err != nil {
		return p, err
	}
	p.cleanup = append(p.cleanup, keyRoot.Close)
	p.keys = store.OpenKeys(keyRoot)

	var chats []bot.Chat
	editors := actors(c.Rights.Editors)
	if c.Workspace.Enabled {
		cfg := workspace.Config{Root: p.root, File: "workspace.jsonl", Seed: workspace.DefaultSeed(), Zone: c.zone()}
		if controls != nil {
			cfg.Controls = controls(p)
		}
		if p.ws, err = workspace.New(cfg, log); err != nil {
			return p, err
		}
		p.cleanup = append(p.cleanup, p.ws.Close)
		chats = append(chats, p.ws)
		editors = append(editors, p.ws.Editors()...)
	}
	if len(chats) == 0 {
		return p, hinted{errors.New("no platform is configured"), e.say("cli.hint-platform")}
	}
	days, err := c.keepDays()
	if err != nil {
		return p, err
	}
	p.bot, err = bot.New(bot.Options{
		Store: p.db, Keys: p.keys, Chats: chats, Log: log, Library: p.lib, Team: c.settings(), Activation: c.Team.Activation,
		Limits:   bot.Limits{MinReplies: c.Limits.MinReplies, MinMembers: c.Limits.MinMembers},
		KeepDays: days, Holidays: c.holidays, PublicSector: c.Organisation.PublicSector, Managers: actors(c.Rights.Managers), Editors: editors,
	})
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

func subdir(root *os.Root, name string) (*os.Root, error) {
	if err := root.Mkdir(name, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	return root.OpenRoot(name)
}

func (c config) storeName() string { return strings.TrimPrefix(c.Store.URL, "bbolt:") }

// running is a marker beside the store: it stands there while a process has the store open, so that the next start
// knows whether the last one ended well.
const running = "running"

func (p *parts) openStore(e *env) error {
	name := p.c.storeName()
	_, storeErr := p.root.Stat(name)
	_, markErr := p.root.Stat(running)
	db, err := store.Open(p.root, name, store.Options{Timeout: 3 * time.Second})
	switch {
	case errors.Is(err, store.ErrLocked):
		return hinted{err, e.say("cli.hint-locked")}
	case errors.Is(err, store.ErrNewer):
		return hinted{err, e.say("cli.hint-newer")}
	case errors.Is(err, store.ErrDamaged):
		return hinted{err, e.say("cli.hint-damaged")}
	case err != nil:
		return err
	}
	if storeErr == nil && markErr == nil { // the last process did not end by itself: look before writing
		p.log.Warn("the last run did not end cleanly; checking the store")
		if err := db.Close(); err != nil {
			return err
		}
		if err := verifyApart(context.Background(), filepath.Join(p.c.DataDir, name)); err != nil {
			return hinted{err, e.say("cli.hint-damaged")}
		}
		if db, err = store.Open(p.root, name, store.Options{Timeout: 3 * time.Second}); err != nil {
			return err
		}
	}
	p.db = db
	if f, err := p.root.OpenFile(running, os.O_WRONLY|os.O_CREATE, 0o600); err == nil {
		f.Close()
	}
	p.cleanup = append(p.cleanup, func() error {
		return errors.Join(db.Close(), p.root.Remove(running))
	})
	return nil
}

// close takes the parts down, last made first.
func (p *parts) close() error {
	var errs []error
	for i := len(p.cleanup) - 1; i >= 0; i-- {
		errs = append(errs, p.cleanup[i]())
	}
	p.cleanup = nil
	return errors.Join(errs...)
}

// serve runs everything until ctx ends or a part fails, then stops in order: intake, handlers, loop, chats, store.
func (p *parts) serve(ctx context.Context, e *env, announce string) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var servers []*http.Server
	var wg sync.WaitGroup
	listen := func(name, network, addr string, h http.Handler) (net.Listener, error) {
		l, err := net.Listen(network, addr)
		if err != nil {
			return nil, hinted{fmt.Errorf("%s: %w", name, err), e.say("cli.hint-listen", "addr", addr)}
		}
		// Bounded, but without a write timeout: live pages stay open.
		s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
			ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug), BaseContext: func(net.Listener) context.Context { return ctx }}
		servers = append(servers, s)
		wg.Go(func() {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				cancel(fmt.Errorf("%s: %w", name, err))
			}
		})
		return l, nil
	}
	defer func() {
		stop, done := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime/2)
		defer done()
		cancel(nil)
		for _, s := range servers {
			if serr := s.Shutdown(stop); serr != nil {
				s.Close()
			}
		}
		wg.Wait()
	}()
	var url string
	if p.ws != nil {
		l, err := listen("workspace", "tcp", p.c.Workspace.Listen, p.ws.Handler())
		if err != nil {
			return err
		}
		url = "http://" + l.Addr().String() + "/"
	}
	if p.c.Admin.Listen != "" {
		l, err := listen("admin", "tcp", p.c.Admin.Listen, p.admin())
		if err != nil {
			return err
		}
		p.log.Info("admin listener", "addr", l.Addr().String())
	}
	socket := filepath.Join(p.c.DataDir, controlSocket)
	os.Remove(socket) // a left-over of a killed process; the store's lock says that none is running
	if _, err := listen("control socket", "unix", socket, p.control()); err != nil {
		return err
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return err
	}
	wg.Go(func() {
		ticker := time.NewTicker(10 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-p.db.Broken():
				cancel(store.ErrBroken)
			case <-ticker.C:
				if p.db.Replaced() {
					p.ready.Store(false)
					cancel(errors.New("the store's file was replaced or removed while the program was running"))
				}
			}
		}
	})
	done := make(chan error, 1)
	go func() { done <- p.bot.Run(ctx) }()
	p.ready.Store(true)
	if url != "" {
		fmt.Fprintf(e.stdout, "%s: %s\n", announce, url)
	}
	p.log.Info("started", "version", version())
	select {
	case <-ctx.Done():
	case err = <-done:
		cancel(errors.New("the bot ended"))
		return err
	}
	p.ready.Store(false)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	p.log.Info("stopping")
	select {
	case berr := <-done:
		return errors.Join(err, berr)
	case <-time.After(shutdownTime - time.Second):
		return errors.Join(err, errors.New("handlers did not end in time"))
	}
}

// admin serves health and metrics. There are no counts of replies: a scrape every few seconds would be a timing log.
func (p *parts) admin() http.Handler {
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewBuildInfoCollector())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok\n") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if !p.ready.Load() || p.db.Replaced() {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
			return
		}
		io.WriteString(w, "ready\n")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	return mux
}

func newLog(c config, w io.Writer) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "text" {
		return slog.New(slog.NewTextHandler(w, o))
	}
	return slog.New(slog.NewJSONHandler(w, o))
}

// cmdRun is `weerklank run --config FILE`.
func cmdRun(ctx context.Context, e *env, args []string) error {
	var path string
	rest, err := flags(e, "run", args, func(fs *flag.FlagSet) { fs.StringVar(&path, "config", "", "") })
	if err != nil {
		return err
	}
	if path == "" || len(rest) > 0 {
		return usageError{e.say("cli.run-config")}
	}
	if err := hardenProcess(); err != nil {
		return fmt.Errorf("forbid memory dumps: %w", err)
	}
	c, err := loadConfig(e, path)
	if err != nil {
		return err
	}
	p, err := build(e, c, newLog(c, e.stderr), nil)
	if err != nil {
		return err
	}
	return errors.Join(p.serve(ctx, e, "Weerklank"), p.close())
}
