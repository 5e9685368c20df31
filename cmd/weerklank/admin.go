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
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
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
	mux.HandleFunc("GET /prompts", func(w http.ResponseWriter, r *http.Request) {
		lib, err := library(r.Context(), p.db, p.lib)
		if err != nil {
			fail(w, err)
			return
		}
		if err := prompts.Encode(w, lib); err != nil {
			fail(w, err)
		}
	})
	mux.HandleFunc("POST /prompts", func(w http.ResponseWriter, r *http.Request) {
		incoming, err := prompts.Decode(http.MaxBytesReader(w, r.Body, 8<<20))
		if err != nil {
			fail(w, err)
			return
		}
		changes, err := importPrompts(r.Context(), p.db, p.lib, incoming, r.URL.Query().Get("dry") == "1")
		if err != nil {
			fail(w, err)
			return
		}
		json.NewEncoder(w).Encode(changes)
	})
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

// ---- prompts

// library is the built-in library with the organisation's own prompts over it.
func library(ctx context.Context, db *store.DB, builtin prompts.Library) (prompts.Library, error) {
	own, err := db.Prompts(ctx)
	if err != nil {
		return builtin, err
	}
	return builtin.With(own), nil
}

// importChanges is what an import does.
type importChanges struct {
	Added   []prompts.ID `json:"added"`
	Changed []prompts.ID `json:"changed"`
	Same    int          `json:"same"`
}

// importPrompts adds or replaces own prompts, all or none. What breaks a rule or an error of the lint is refused.
func importPrompts(ctx context.Context, db *store.DB, builtin, incoming prompts.Library, dry bool) (importChanges, error) {
	var ch importChanges
	now, err := library(ctx, db, builtin)
	if err != nil {
		return ch, err
	}
	merged := now.With(incoming.Prompts)
	if err := merged.Validate(); err != nil {
		return ch, err
	}
	var findings []error
	changed := map[prompts.ID]prompts.Prompt{}
	for _, p := range incoming.Prompts {
		old, there := now.Prompt(p.ID)
		switch {
		case !there:
			ch.Added = append(ch.Added, p.ID)
		case prompts.Same(old, p):
			ch.Same++
			continue
		case p.Revision <= old.Revision && !prompts.SameWords(old, p):
			findings = append(findings, fmt.Errorf("prompt %s: its words changed; raise revision above %d", p.ID, old.Revision))
			continue
		default:
			ch.Changed = append(ch.Changed, p.ID)
		}
		changed[p.ID] = p
	}
	for _, f := range prompts.Lint(merged) {
		if _, ours := changed[f.Prompt]; ours && f.Level == prompts.Error {
			findings = append(findings, errors.New(f.String()))
		}
	}
	if err := errors.Join(findings...); err != nil || dry {
		return ch, err
	}
	return ch, db.UpdatePrompts(ctx, func(own map[prompts.ID]prompts.Prompt) (bot.Also, error) {
		maps.Copy(own, changed)
		return bot.Also{Audit: []bot.AuditEntry{{At: time.Now().UTC(), By: operatorActor, What: "prompts", How: strconv.Itoa(len(changed)) + " imported"}}}, nil
	})
}

// cmdPrompts is `weerklank prompts lint|list|export|import`.
func cmdPrompts(ctx context.Context, e *env, args []string) error {
	if len(args) == 0 {
		return usageError{e.say("cli.prompts-which")}
	}
	var dry bool
	var kind, audience string
	var path string
	rest, err := flags(e, "prompts", args[1:], func(fs *flag.FlagSet) {
		fs.StringVar(&path, "config", "", "")
		fs.BoolVar(&dry, "dry-run", false, "")
		fs.StringVar(&kind, "type", "", "")
		fs.StringVar(&audience, "audience", "", "")
	})
	if err != nil {
		return err
	}
	switch args[0] {
	case "lint":
		return lintPrompts(ctx, e, path, rest)
	case "list":
		lib, err := inForce(ctx, e, path)
		if err != nil {
			return err
		}
		for _, p := range lib.Prompts {
			if kind != "" && string(p.Kind) != kind || audience != "" && !slices.Contains(p.Audience, prompts.AudienceID(audience)) {
				continue
			}
			fmt.Fprintf(e.stdout, "%-34s %-12s %d  %-8s %s\n", p.ID, p.Kind, p.Intensity, p.Status, p.In(e.lang).Title)
		}
		return nil
	case "export":
		lib, err := inForce(ctx, e, path)
		if err != nil {
			return err
		}
		return prompts.Encode(e.stdout, lib)
	case "import":
		return importFile(ctx, e, path, rest, dry)
	}
	return usageError{e.say("cli.prompts-which")}
}

// inForce is the library as the bot would use it: the built-in one alone if no configuration is named.
func inForce(ctx context.Context, e *env, path string) (prompts.Library, error) {
	lib, err := prompts.Builtin()
	if err != nil || path == "" {
		return lib, err
	}
	c, err := loadConfig(e, path)
	if err != nil {
		return lib, err
	}
	if _, serr := os.Stat(filepath.Join(c.DataDir, c.storeName())); serr != nil {
		return lib, nil
	}
	err = onStore(ctx, e, c, func() error {
		raw, err := call(ctx, c, http.MethodGet, "/prompts", nil)
		if err == nil {
			lib, err = prompts.Decode(bytes.NewReader(raw))
		}
		return err
	}, func(db *store.DB) (err error) {
		lib, err = library(ctx, db, lib)
		return err
	})
	return lib, err
}

func readLibrary(e *env, file string) (prompts.Library, error) {
	var r io.Reader = e.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return prompts.Library{}, err
		}
		defer f.Close()
		r = f
	}
	lib, err := prompts.Decode(r)
	if err != nil {
		return lib, hinted{fmt.Errorf("%s:\n%w", file, err), e.say("cli.hint-prompts")}
	}
	return lib, nil
}

func lintPrompts(ctx context.Context, e *env, path string, files []string) error {
	base, err := inForce(ctx, e, path)
	if err != nil {
		return err
	}
	libs := []prompts.Library{base}
	if len(files) > 0 {
		libs = nil
		for _, file := range files {
			lib, err := readLibrary(e, file)
			if err != nil {
				return err
			}
			libs = append(libs, lib.Completed(base))
		}
	}
	wrong, warned := 0, 0
	for _, lib := range libs {
		if err := lib.Validate(); err != nil {
			fmt.Fprintln(e.stdout, err)
			wrong++
		}
		for _, f := range prompts.Lint(lib) {
			if f.Level == prompts.Error {
				wrong++
			} else {
				warned++
			}
			fmt.Fprintln(e.stdout, f.Line(e.lang))
		}
		for _, c := range prompts.Cover(lib) {
			if c.Dilemmas < prompts.EnoughDilemmas {
				warned++
				fmt.Fprintln(e.stdout, e.say("cli.lint-coverage", "audience", string(c.Audience), "count", strconv.Itoa(c.Dilemmas), "enough", strconv.Itoa(prompts.EnoughDilemmas)))
			}
		}
	}
	fmt.Fprintln(e.stdout, e.say("cli.lint-done", "errors", strconv.Itoa(wrong), "warnings", strconv.Itoa(warned)))
	if wrong > 0 {
		return errors.New(e.say("cli.lint-failed"))
	}
	return nil
}

func importFile(ctx context.Context, e *env, path string, files []string, dry bool) error {
	if path == "" || len(files) != 1 {
		return usageError{e.say("cli.import-which")}
	}
	c, err := loadConfig(e, path)
	if err != nil {
		return err
	}
	incoming, err := readLibrary(e, files[0])
	if err != nil {
		return err
	}
	builtin, err := prompts.Builtin()
	if err != nil {
		return err
	}
	var ch importChanges
	err = onStore(ctx, e, c, func() error {
		var body bytes.Buffer
		if err := prompts.Encode(&body, incoming); err != nil {
			return err
		}
		target := "/prompts"
		if dry {
			target += "?dry=1"
		}
		raw, err := call(ctx, c, http.MethodPost, target, &body)
		if err == nil {
			err = json.Unmarshal(raw, &ch)
		}
		return err
	}, func(db *store.DB) (err error) {
		ch, err = importPrompts(ctx, db, builtin, incoming, dry)
		return err
	})
	if err != nil {
		var h hinted
		if errors.As(err, &h) {
			return err
		}
		return hinted{fmt.Errorf("%s:\n%w", files[0], err), e.say("cli.hint-import")}
	}
	key := "cli.import-done"
	if dry {
		key = "cli.import-dry"
	}
	fmt.Fprintln(e.stdout, e.say(key, "added", strconv.Itoa(len(ch.Added)), "changed", strconv.Itoa(len(ch.Changed)), "same", strconv.Itoa(ch.Same)))
	for _, id := range ch.Added {
		fmt.Fprintln(e.stdout, "+ "+string(id))
	}
	for _, id := range ch.Changed {
		fmt.Fprintln(e.stdout, "~ "+string(id))
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
