package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/store"
)

// controlSocket is where a running bot takes the operator's commands: the store's file is locked by it.
const controlSocket = "control.sock"

// control serves the operator's commands. The socket's file mode is the right to use it.
func (p *parts) control() http.Handler {
	mux := http.NewServeMux()
	fail := func(w http.ResponseWriter, err error) { http.Error(w, err.Error(), http.StatusConflict) }
	mux.HandleFunc("POST /backup", func(w http.ResponseWriter, r *http.Request) {
		order, err := orderOf(r.URL.Query())
		if err != nil {
			fail(w, err)
			return
		}
		path, at, err := backup(r.Context(), p.db, order)
		if path != "" {
			p.backedUp(at)
		}
		if err != nil {
			fail(w, err)
			return
		}
		fmt.Fprint(w, path)
	})
	mux.HandleFunc("POST /compact", func(w http.ResponseWriter, r *http.Request) {
		if err := p.db.Compact(r.Context()); err != nil {
			fail(w, err)
		}
	})
	mux.HandleFunc("POST /verify", func(w http.ResponseWriter, r *http.Request) {
		if err := p.db.Check(r.Context()); err != nil {
			fail(w, err)
			return
		}
		found, err := p.inspect(r.Context())
		if err != nil {
			fail(w, err)
			return
		}
		json.NewEncoder(w).Encode(found)
	})
	p.prompts(mux, fail)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		if err := p.healthy(); err != nil {
			fmt.Fprintln(w, err)
		}
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, r *http.Request) {
		teams, err := p.db.Teams(r.Context())
		if err != nil {
			fail(w, err)
			return
		}
		json.NewEncoder(w).Encode(statusOf(teams))
	})
	p.holds(mux)
	p.exports(mux)
	return mux
}

// call sends one command to a running bot. errNotRunning: there is none.
func call(ctx context.Context, c config, method, path string, body io.Reader) ([]byte, error) {
	socket := filepath.Join(c.DataDir, controlSocket)
	if _, err := os.Stat(socket); err != nil {
		return nil, errNotRunning
	}
	client := &http.Client{Timeout: 10 * time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", socket)
		},
	}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, "http://control"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return nil, errNotRunning
		}
		return nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refused{strings.TrimSpace(string(raw))}
	}
	return raw, nil
}

// refused is what a running bot says of a command that it could not do.
type refused struct{ text string }

func (r refused) Error() string { return r.text }

var errNotRunning = errors.New("no bot is running on this data directory")

// onStore does something to the store: through the control socket of a running bot, else by opening the file.
func onStore(ctx context.Context, e *env, c config, live func() error, alone func(*store.DB) error) error {
	if err := live(); !errors.Is(err, errNotRunning) {
		return err
	}
	if _, err := os.Stat(filepath.Join(c.DataDir, c.storeName())); err != nil {
		return hinted{fmt.Errorf("there is no store in %s", c.DataDir), e.say("cli.hint-no-store")}
	}
	root, err := os.OpenRoot(c.DataDir)
	if err != nil {
		return err
	}
	defer root.Close()
	db, release, err := holdStore(ctx, e, c, root, slog.New(slog.DiscardHandler), e.say("cli.hint-locked-no-socket"))
	if err != nil {
		return err
	}
	return errors.Join(alone(db), release())
}

// hintDamaged is what to do about a damaged store. The keys stay: open rounds of the backup can only be opened with them.
func hintDamaged(e *env, c config) string {
	file, dir := filepath.Join(c.DataDir, c.storeName()), backupDir(c)
	if newest, _ := newestBackup(dir); newest != "" {
		return e.say("cli.hint-damaged", "file", file, "backup", newest)
	}
	return e.say("cli.hint-damaged-no-backup", "file", file, "dir", dir)
}

// storeFlags are the flags of every command that works on the store.
func storeFlags(e *env, name string, args []string, more func(*flag.FlagSet)) (config, []string, error) {
	var path string
	rest, err := flags(e, name, args, func(fs *flag.FlagSet) {
		fs.StringVar(&path, "config", "", "")
		if more != nil {
			more(fs)
		}
	})
	if err != nil {
		return config{}, nil, err
	}
	c, err := loadConfig(e, path)
	return c, rest, err
}

// verifyChild is the hidden command that checks a file in a process of its own.
const verifyChild = "-check-only-this"

// What the child says of a file that is not damaged and cannot be checked either.
const (
	childLocked = "locked"
	childNewer  = "newer"
)

// verifyApart checks a file in a child process with a deadline: on damage the database library may panic, fault or
// never end (TRUST 12). Errors: store.ErrDamaged, store.ErrLocked, store.ErrNewer.
func verifyApart(ctx context.Context, file string) error {
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	deadline := deadlineOf(info.Size())
	stopped := ctx
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	var kind, said bytes.Buffer
	cmd := exec.CommandContext(ctx, self, "verify", verifyChild, file)
	cmd.Stdout, cmd.Stderr = &kind, &said
	cmd.Env = append(os.Environ(), "GOTRACEBACK=none")
	err = cmd.Run()
	switch {
	case stopped.Err() != nil:
		return stopped.Err()
	case ctx.Err() != nil:
		return fmt.Errorf("%w: checking %s did not end within %s", store.ErrDamaged, filepath.Base(file), deadline)
	case err != nil && strings.TrimSpace(kind.String()) == childLocked:
		return fmt.Errorf("check %s: %w", filepath.Base(file), store.ErrLocked)
	case err != nil && strings.TrimSpace(kind.String()) == childNewer:
		return fmt.Errorf("check %s: %w", filepath.Base(file), store.ErrNewer)
	case err != nil:
		text, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		text = strings.TrimPrefix(strings.TrimPrefix(text, "weerklank verify: "), store.ErrDamaged.Error()+": ")
		return fmt.Errorf("%w: %.200s", store.ErrDamaged, text)
	}
	return nil
}

// deadlineOf is how long a look at a whole file of that size may take.
func deadlineOf(size int64) time.Duration {
	return 5*time.Second + time.Duration(size/(100<<20))*time.Second
}

func cmdVerify(ctx context.Context, e *env, args []string) error {
	if len(args) == 3 && args[0] == inspectChild {
		return inspectAlone(e, args[1], args[2])
	}
	if len(args) == 2 && args[0] == verifyChild {
		root, err := os.OpenRoot(filepath.Dir(args[1]))
		if err != nil {
			return err
		}
		defer root.Close()
		err = store.Verify(root, filepath.Base(args[1]))
		switch {
		case errors.Is(err, store.ErrLocked):
			fmt.Fprintln(e.stdout, childLocked)
		case errors.Is(err, store.ErrNewer):
			fmt.Fprintln(e.stdout, childNewer)
		}
		return err
	}
	var identity string
	c, rest, err := storeFlags(e, "verify", args, func(fs *flag.FlagSet) { fs.StringVar(&identity, "identity", "", "") })
	if err != nil {
		return err
	}
	if len(rest) > 1 {
		return usageError{e.say("cli.too-many")}
	}
	if len(rest) == 1 {
		return verifyBackup(ctx, e, c, rest[0], identity)
	}
	file := filepath.Join(c.DataDir, c.storeName())
	var notPromised []store.Finding
	raw, err := call(ctx, c, http.MethodPost, "/verify", nil)
	if errors.Is(err, errNotRunning) {
		if _, serr := os.Stat(file); serr != nil {
			return hinted{fmt.Errorf("there is no store in %s", c.DataDir), e.say("cli.hint-no-store")}
		}
		if err = verifyApart(ctx, file); err == nil {
			notPromised, err = inspectApart(ctx, c)
		}
	} else if err == nil {
		err = json.Unmarshal(raw, &notPromised)
	}
	var found refused
	if errors.As(err, &found) { // the bot looked, and this is what came of it
		if strings.Contains(found.text, store.ErrDamaged.Error()) {
			return hinted{err, hintDamaged(e, c)}
		}
		return hinted{err, e.say("cli.hint-verify-again")}
	}
	if err != nil {
		return explain(e, err, e.say("cli.hint-locked-no-socket"), hintDamaged(e, c))
	}
	if err := broken(e, c, notPromised); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, e.say("cli.verify-ok", "file", file))
	return nil
}

func cmdCompact(ctx context.Context, e *env, args []string) error {
	c, rest, err := storeFlags(e, "compact", args, nil)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usageError{e.say("cli.too-many")}
	}
	err = onStore(ctx, e, c, func() error {
		_, err := call(ctx, c, http.MethodPost, "/compact", nil)
		return err
	}, func(db *store.DB) error { return db.Compact(ctx) })
	if err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, e.say("cli.compact-done"))
	return nil
}

// teamStatus is what the operator sees of a team: no person, and nothing about who answered.
type teamStatus struct {
	Team  bot.TeamID    `json:"team"`
	State bot.TeamState `json:"state"`
	Next  time.Time     `json:"next,omitzero"`
	Open  bool          `json:"open"`
}

func statusOf(teams []bot.Team) []teamStatus {
	out := []teamStatus{}
	for _, t := range teams {
		out = append(out, teamStatus{t.ID, t.State, t.Wake(), t.Open != ""})
	}
	return out
}

// statuses are the teams, from the running bot or from the store.
func statuses(ctx context.Context, e *env, c config) (teams []teamStatus, running bool, err error) {
	err = onStore(ctx, e, c, func() error {
		raw, err := call(ctx, c, http.MethodGet, "/status", nil)
		if err != nil {
			return err
		}
		running = true
		return json.Unmarshal(raw, &teams)
	}, func(db *store.DB) error {
		all, err := db.Teams(ctx)
		teams = statusOf(all)
		return err
	})
	return teams, running, err
}

func cmdStatus(ctx context.Context, e *env, args []string) error {
	c, rest, err := storeFlags(e, "status", args, nil)
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usageError{e.say("cli.too-many")}
	}
	teams, running, err := statuses(ctx, e, c)
	if err != nil {
		return err
	}
	live := e.say("cli.status-stopped")
	if running {
		live = e.say("cli.status-running")
	}
	fmt.Fprintln(e.stdout, live)
	if running {
		trouble, err := call(ctx, c, http.MethodGet, "/health", nil)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(trouble)) {
			fmt.Fprintln(e.stdout, e.say("cli.status-trouble", "what", strings.TrimSpace(line)))
		}
	}
	fmt.Fprintln(e.stdout, backupLine(e, c))
	for _, t := range teams {
		line := fmt.Sprintf("%s  %s", t.Team, t.State)
		if !t.Next.IsZero() {
			line += "  " + e.say("cli.status-next", "moment", locale.Moment(e.lang, t.Next.In(c.zone())))
		}
		fmt.Fprintln(e.stdout, line)
	}
	return nil
}

// ---- version

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "development"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v += " " + s.Value[:min(12, len(s.Value))]
		}
	}
	return v + " " + info.GoVersion
}

func cmdVersion(_ context.Context, e *env, args []string) error {
	if len(args) > 0 {
		return usageError{e.say("cli.too-many")}
	}
	fmt.Fprintln(e.stdout, "weerklank "+version())
	return nil
}
