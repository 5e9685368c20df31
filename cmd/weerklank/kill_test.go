package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/bot/workspace"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// turned is the name of the program in a process of its own: `weerklank run` with the demo's panel, so that rounds close
// and open more often than once in a minute. Everything else is what `run` does.
const turned = "weerklank-turned"

func mainTurned() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	err := func() error {
		if err := hardenProcess(); err != nil {
			return err
		}
		e := &env{lookup: unset, stdout: os.Stdout, stderr: os.Stderr, lang: prompts.Dutch}
		c, err := loadConfig(e, os.Args[1])
		if err != nil {
			return err
		}
		p, err := build(ctx, e, c, newLog(c, e.stderr), func(p *parts) *workspace.Controls { return p.controls() })
		if err != nil {
			return err
		}
		failSyncsOnSignal()
		return p.serve(ctx, e, "Weerklank")
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitFailure)
	}
	os.Exit(exitOK)
}

// process is one run of the program that can be killed.
type process struct {
	cmd   *exec.Cmd
	log   *chattest.Log
	url   chan string   // where it is served, once it takes what people do
	ended chan struct{} // closed when it is gone
	code  int
}

func startProcess(t *testing.T, config string) *process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{cmd: &exec.Cmd{Path: self, Args: []string{turned, config}}, log: &chattest.Log{}, url: make(chan string, 1), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "GOTRACEBACK=single", "GORACE=exitcode=66")
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if url, ok := strings.CutPrefix(lines.Text(), "Weerklank: "); ok {
				p.url <- strings.TrimSuffix(url, "/")
			}
		}
		p.cmd.Wait()
		p.code = p.cmd.ProcessState.ExitCode()
		close(p.ended)
	}()
	t.Cleanup(func() { p.kill() })
	return p
}

func (p *process) kill() {
	p.cmd.Process.Kill()
	<-p.ended
}

// world is one data directory through many lives of the program, with the people on it and what they know.
type world struct {
	t       *testing.T
	dir     string // of the data
	config  string
	random  *rand.Rand
	people  []*inhabitant
	ledger  *ledger
	chat    *chat
	call    caller
	texts   atomic.Int64
	started time.Duration // how long the last whole start took
	sums    *sums
	bad     atomic.Int64
}

// sums are what the whole test counted.
type sums struct {
	kills, early, terms, confirmed, unknown, removals int
	rounds                                            map[bot.RoundState]int
	votes, quotes, messages                           int
	slowest, slowestStop                              time.Duration
}

// teams are the channels with enough people.
var crew = []string{"buitendienst", "wijkploeg"}

func newWorld(t *testing.T, seed uint64, s *sums) *world {
	t.Helper()
	dir := t.TempDir()
	w := &world{
		t: t, dir: filepath.Join(dir, "data"), config: filepath.Join(dir, "weerklank.toml"), random: rand.New(rand.NewPCG(seed, 1)),
		ledger: &ledger{entries: map[place]*entry{}}, sums: s, started: 200 * time.Millisecond,
	}
	w.chat = newChat(filepath.Join(w.dir, chatFile))
	w.texts.Store(int64(w.random.IntN(1_000_000)))
	text := fmt.Sprintf(`data_dir = %q
[help]
adviser = "De vertrouwenspersoon"
[team]
rhythm = "custom"
cron = "* * * * *"
window = "1m"
give_back_after = "0m"
min_replies = 3
quiet_hours = ""
workdays_only = false
holidays = []
[limits]
min_replies = 3
[workspace]
enabled = true
listen = "127.0.0.1:0"
[admin]
listen = "127.0.0.1:0"
`, w.dir)
	if err := os.WriteFile(w.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	seedOf := workspace.DefaultSeed()
	for i, who := range seedOf.People {
		if who.Role == workspace.Manager {
			continue // has the panel
		}
		p := &inhabitant{Person: who, random: rand.New(rand.NewPCG(seed, uint64(10+i))), voted: map[string]bool{}}
		for _, c := range seedOf.Channels {
			if slices.Contains(crew, c.ID) && slices.Contains(c.Members, who.ID) {
				p.channels = append(p.channels, c.ID)
			}
		}
		w.people = append(w.people, p)
	}
	return w
}

// wrong reports a broken promise; the test goes on, up to a point.
func (w *world) wrong(format string, args ...any) {
	if w.bad.Add(1) < 20 {
		w.t.Errorf(format, args...)
	}
}

// switchOn lets the manager switch on every team that is not on, as a person would.
func (w *world) switchOn(ctx context.Context) {
	for _, channel := range crew {
		page, ok := w.call.post(ctx, "irma", "/say", url.Values{"place": {channel}, "text": {"/weerklank aan"}})
		_, form, found := strings.Cut(page, `action="/form"`)
		if !ok || !found {
			continue
		}
		form, _, _ = strings.Cut(form, "</form>")
		values := url.Values{"f.lang": {"nl"}, "f.rhythm": {"custom"}, "f.cron": {"* * * * *"}, "f.window": {"1m"}, "f.give_back_after": {"0m"},
			"f.adviser": {"De vertrouwenspersoon"}, "f.statement": {"Grijs mag hier."}, "f.worktime": {"yes"}}
		for _, h := range hidden.FindAllStringSubmatch(form, -1) {
			values.Set(h[1], h[2])
		}
		w.call.post(ctx, "irma", "/form", values)
	}
}

// turn is the panel: rounds are opened, closed and given back.
func (w *world) turn(ctx context.Context, random *rand.Rand) {
	for ctx.Err() == nil {
		channel := crew[random.IntN(len(crew))]
		do := "next"
		if random.IntN(3) == 0 {
			do = "close"
		}
		w.call.post(ctx, "irma", "/control", url.Values{"place": {channel}, "do": {do}})
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(40+random.IntN(360)) * time.Millisecond):
		}
	}
}

// operate is the operator's work beside it.
func (w *world) operate(ctx context.Context, random *rand.Rand) {
	key, err := age.GenerateX25519Identity()
	if err != nil {
		w.t.Error(err)
		return
	}
	backup := backupOrder{filepath.Join(w.dir, backupsDir), []string{key.Recipient().String()}, 1}.values().Encode()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Duration(random.IntN(500)) * time.Millisecond):
		}
		path := []string{"/compact", "/compact", "/verify", "/backup?" + backup}[random.IntN(4)]
		_, err := call(ctx, config{DataDir: w.dir}, http.MethodPost, path, nil)
		var no refused
		if errors.As(err, &no) && ctx.Err() == nil && !strings.Contains(no.text, context.Canceled.Error()) {
			w.wrong("%s: %v", path, err)
		}
	}
}

// begin starts the program and waits until it takes what people do; nil if it was to be killed before that.
func (w *world) begin(early time.Duration) *process {
	p := startProcess(w.t, w.config)
	began := time.Now()
	var cut <-chan time.Time
	if early > 0 {
		cut = time.After(early)
	}
	select {
	case base := <-p.url:
		w.started = time.Since(began)
		w.sums.slowest = max(w.sums.slowest, w.started)
		w.call = caller{&http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 20}, Timeout: 30 * time.Second}, base, &atomic.Bool{}}
		return p
	case <-cut:
		p.kill()
		return nil
	case <-p.ended:
		w.t.Fatalf("the program did not start again: exit code %d\n%s", p.code, p.log)
	case <-time.After(30 * time.Second):
		w.t.Fatalf("the program did not start within 30 s\n%s", p.log)
	}
	return nil
}

// crowd lets everybody do things until end is called.
func (w *world) crowd() (end func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for _, p := range w.people {
		wg.Go(func() { p.live(ctx, w) })
	}
	turning, operating := rand.New(rand.NewPCG(w.random.Uint64(), 2)), rand.New(rand.NewPCG(w.random.Uint64(), 3))
	wg.Go(func() { w.turn(ctx, turning) })
	wg.Go(func() { w.operate(ctx, operating) })
	return func() {
		cancel()
		wg.Wait()
		w.call.c.CloseIdleConnections()
	}
}

// suffer is one run of the program, up to its violent end.
func (w *world) suffer(n int) {
	earlyShare := 15
	if n < 6 { // the first creation, too
		earlyShare = 60
	}
	var early time.Duration
	if w.random.IntN(100) < earlyShare {
		until := w.started * 3 / 2
		if n < 6 {
			until /= 2
		}
		early = 1 + time.Duration(w.random.Int64N(int64(until)))
	}
	p := w.begin(early)
	if p == nil {
		w.sums.kills, w.sums.early = w.sums.kills+1, w.sums.early+1
		w.audit(false, nil)
		return
	}
	w.tidy()
	end := w.crowd()
	w.switchOn(context.Background())
	time.Sleep(time.Duration(30+w.random.IntN(670)) * time.Millisecond)
	if w.random.IntN(10) == 0 {
		w.terminate(p)
		w.sums.terms++
	} else {
		select {
		case <-p.ended:
			w.wrong("the program ended by itself: exit code %d\n%s", p.code, p.log)
		default:
		}
		p.kill()
		w.sums.kills++
	}
	end()
	for _, word := range []string{"DATA RACE", "panic", "\"ERROR\""} {
		if strings.Contains(p.log.String(), word) {
			w.wrong("the log says %s:\n%s", word, p.log)
		}
	}
	w.audit(false, nil)
}

// terminate ends the program as an operator does (TRUST D17).
func (w *world) terminate(p *process) {
	began := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		w.t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(shutdownTime + time.Second):
		w.wrong("it did not end within ten seconds of SIGTERM\n%s", p.log)
		p.kill()
	}
	w.sums.slowestStop = max(w.sums.slowestStop, time.Since(began))
	if p.code != exitOK {
		w.wrong("after SIGTERM it ended with %d\n%s", p.code, p.log)
	}
	if _, err := os.Stat(filepath.Join(w.dir, running)); !errors.Is(err, os.ErrNotExist) {
		w.wrong("after a good end the mark of a bad one stands there (%v)", err)
	}
}

// tidy says that a start leaves nothing beside the store of what a kill left there.
func (w *world) tidy() {
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains([]string{"weerklank.db", keysDir, chatFile, running, controlSocket, backupsDir}, e.Name()) {
			w.wrong("a start leaves %s", e.Name())
		}
	}
}

// audit reads everything that is on the disk now, and compares it with what people know. last: the program ended well
// and nothing may be under way. tamper changes the copy that is looked at.
func (w *world) audit(last bool, tamper func(*bolt.DB)) (problems []string) {
	w.t.Helper()
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	defer func() {
		if tamper == nil {
			for _, p := range problems {
				w.wrong("%s", p)
			}
		}
	}()
	w.chat.mu.Lock()
	err := w.chat.poll()
	w.chat.mu.Unlock()
	if err != nil {
		say("%v", err)
		return problems
	}
	file := filepath.Join(w.dir, "weerklank.db")
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		w.ledger.mu.Lock()
		defer w.ledger.mu.Unlock()
		if w.ledger.confirmed > 0 {
			say("there is no store any more")
		}
		return problems
	}
	copied := w.t.TempDir()
	raw, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(filepath.Join(copied, "weerklank.db"), raw, 0o600)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer os.RemoveAll(copied)
	rows := map[bot.PostID]bot.Post{}
	b, err := bolt.Open(filepath.Join(copied, "weerklank.db"), 0o600, nil)
	if err != nil {
		say("the store does not open: %v", err)
		return problems
	}
	if tamper != nil {
		tamper(b)
	}
	err = b.View(func(tx *bolt.Tx) error {
		posts := tx.Bucket([]byte("posts"))
		if posts == nil {
			return nil
		}
		return posts.ForEach(func(id, raw []byte) error {
			var p bot.Post
			err := json.Unmarshal(raw, &p)
			rows[bot.PostID(id)] = p
			return err
		})
	})
	if err := errors.Join(err, b.Close()); err != nil {
		say("read the outbox: %v", err)
		return problems
	}
	root, err := os.OpenRoot(copied)
	if err != nil {
		w.t.Fatal(err)
	}
	defer root.Close()
	db, err := store.Open(root, "weerklank.db", store.Options{})
	if err != nil {
		say("the store does not open: %v", err)
		return problems
	}
	defer db.Close()
	ctx := w.t.Context()
	if err := db.Check(ctx); err != nil {
		say("%v", err)
	}
	teams, err := db.Teams(ctx)
	if err != nil {
		say("%v", err)
	}
	w.auditMessages(rows, say)
	slots := map[string]bool{}
	wanted := map[string]bool{}
	if entries, err := os.ReadDir(filepath.Join(w.dir, keysDir)); err == nil {
		for _, e := range entries {
			slots[e.Name()] = true
		}
	}
	states := map[bot.RoundState]int{}
	quoted, votes := 0, 0
	for _, team := range teams {
		rounds, err := db.Rounds(ctx, team.ID)
		if err != nil {
			say("%v", err)
		}
		for _, r := range rounds {
			if r.State == bot.RoundOpen || r.State == bot.RoundClosing {
				wanted[string(r.ID)+".ballot"] = true
				if !slots[string(r.ID)+".ballot"] {
					say("round %s is %s and its key slot is not there", r.ID, r.State)
				}
			}
			if !r.Keep.IsZero() {
				wanted[string(r.ID)+".shelf"] = true
				if !slots[string(r.ID)+".shelf"] {
					say("round %s has a shelf and no key for it", r.ID)
				}
			}
			if last && r.Wake().Before(time.Now()) && !r.Wake().IsZero() {
				say("round %s is %s and stuck", r.ID, r.State)
			}
			switch r.Kind {
			case bot.RoundQuestion:
				states[r.State]++
				quoted += w.auditRound(ctx, db, r, rows, last, say)
			case bot.RoundFollow:
				quoted += w.auditRound(ctx, db, r, rows, last, say)
			default:
				votes++
			}
		}
	}
	if last {
		if posts, next, err := db.Pending(ctx, time.Now().AddDate(1, 0, 0), 10); len(posts) > 0 || !next.IsZero() || err != nil {
			say("%d posts never leave, the first %+v (%v)", len(posts), posts, err)
		}
		for name := range slots {
			round, removed := strings.CutSuffix(name, ".removed") // what was taken away is noted for as long as the shelf stands
			round, _, _ = strings.Cut(round, "-")
			if !wanted[name] && !(removed && wanted[round+".shelf"]) {
				say("key slot %s belongs to nothing that is open or kept", name)
			}
		}
		w.sums.votes += votes
		for s, n := range states {
			w.sums.rounds[s] += n
		}
		w.sums.quotes += quoted
	}
	return problems
}

// auditMessages says that every message of the bot in a channel is one row of the outbox, that is stored before it and
// sent once, and that none stands there twice.
func (w *world) auditMessages(rows map[bot.PostID]bot.Post, say func(string, ...any)) {
	w.chat.mu.Lock()
	defer w.chat.mu.Unlock()
	byKey := map[string]bot.Post{}
	for _, p := range rows {
		byKey[p.Key] = p
	}
	prompt, once := map[bot.RoundID]int{}, map[string]int{}
	stand := map[string]bool{}
	for key, n := range w.chat.keys {
		if n > 1 {
			say("a message with key %s was said %d times", key, n)
		}
	}
	for event, n := range w.chat.handled {
		if n > 1 {
			say("event %s was handled %d times", event, n)
		}
	}
	for _, m := range w.chat.messages {
		if m.from != "" || strings.HasPrefix(m.place, "@") {
			continue
		}
		stand[m.id] = true
		row, ok := byKey[m.key]
		switch {
		case !ok:
			say("a message in %s has no row in the outbox: %q", m.place, plainText(m.first))
		case row.State == bot.PostSent && string(row.Ref) != m.id:
			say("post %s stands in the channel as %s and, once more, as %s", row.ID, row.Ref, m.id)
		case row.State != bot.PostSent && row.State != bot.PostSending:
			say("post %s stands in the channel and is %s", row.ID, row.State)
		}
		for _, b := range m.first.Blocks {
			for _, a := range b.Actions {
				if a.Do == "answer" && a.Main || a.Do == "vote" && a.Arg == "stop" {
					prompt[a.Round]++
				}
			}
		}
		if m.thread != "" {
			for _, q := range quotes(m.first) {
				once[q]++
			}
		}
	}
	for round, n := range prompt {
		if n > 1 {
			say("round %s was asked %d times", round, n)
		}
	}
	for q, n := range once {
		if n > 1 {
			say("%q was given back %d times", q, n)
		}
	}
	for _, p := range rows {
		if p.State == bot.PostSent && p.EditOf == "" && p.To == "" && !stand[string(p.Ref)] {
			say("post %s is sent and not in the channel", p.ID)
		}
	}
	w.sums.messages = max(w.sums.messages, len(stand))
}

// auditRound compares one round with what its people know, and returns how many quotes it gave back.
func (w *world) auditRound(ctx context.Context, db *store.DB, r bot.Round, rows map[bot.PostID]bot.Post, last bool, say func(string, ...any)) int {
	w.ledger.mu.Lock()
	mine := map[place]*entry{}
	for at, e := range w.ledger.entries {
		if at.round == r.ID {
			mine[at] = e
		}
	}
	w.ledger.mu.Unlock()
	least, most, leastShelf, mostShelf := 0, 0, 0, 0
	for _, e := range mine {
		some := slices.ContainsFunc(e.can, func(h held) bool { return !h.none() })
		sure := !slices.ContainsFunc(e.can, held.none)
		shared := slices.ContainsFunc(e.can, func(h held) bool { return h.share == bot.ShareQuote })
		surelyShared := !slices.ContainsFunc(e.can, func(h held) bool { return h.share != bot.ShareQuote })
		if some {
			most++
		}
		if sure {
			least++
		}
		if shared && e.gone != isGone {
			mostShelf++
		}
		if surelyShared && e.gone == stays {
			leastShelf++
		}
	}
	within := func(what string, n, least, most int) {
		if n < least || n > most {
			say("round %s (%s): %d %s, and people know of at least %d and at most %d\n%s", r.ID, r.State, n, what, least, most, w.ledger.story(string(r.ID)))
		}
	}
	switch r.State {
	case bot.RoundOpen, bot.RoundClosing:
		box, err := db.Box(ctx, r.ID)
		if err != nil {
			say("box of round %s: %v", r.ID, err)
		}
		within("ballots", len(box), least, most)
		return 0
	case bot.RoundLost:
		say("round %s was lost", r.ID)
		return 0
	case bot.RoundLapsed:
		within("replies counted", 0, least, most)
		return 0
	}
	follow := r.Kind == bot.RoundFollow
	if follow && r.Keep.IsZero() { // too few, or nobody shares
		if least >= r.MinReplies && leastShelf > 0 {
			say("follow-up %s (%s): %d people shared something, and nothing is there\n%s", r.ID, r.State, leastShelf, w.ledger.story(string(r.ID)))
		}
		return 0
	}
	if r.Tally == nil && !follow { // too few
		within("replies at the most", r.MinReplies-1, least, max(most, r.MinReplies-1))
		return 0
	}
	if !follow {
		within("replies counted", r.Tally.Respondents, least, most)
	}
	shelf, err := db.Shelf(ctx, r.ID)
	if err != nil {
		say("shelf of round %s: %v", r.ID, err)
	}
	within("replies on the shelf", len(shelf), leastShelf, mostShelf)
	given, ok := rows[bot.PostID(string(r.ID)+"/give-back")]
	if last && !follow && (!ok || given.State != bot.PostSent) {
		say("round %s was never given back: %+v", r.ID, given)
	}
	thread := rows[bot.PostID(string(r.ID)+"/thread")]
	if thread.State != bot.PostSent {
		if last && !r.Keep.IsZero() {
			say("the quotes of round %s were never given back: %+v", r.ID, thread)
		}
		return 0
	}
	w.chat.mu.Lock()
	m := w.chat.byID[string(thread.Ref)]
	var shown []string
	if m != nil {
		shown = quotes(m.now)
	}
	w.chat.mu.Unlock()
	found := map[place]int{}
	for _, q := range shown {
		var whose []place
		for at, e := range mine {
			if slices.ContainsFunc(e.can, func(h held) bool { return h.share == bot.ShareQuote && h.reads(q) }) {
				whose = append(whose, at)
			}
		}
		if len(whose) != 1 {
			say("round %s gives back %q, which is the reply of %d people\n%s", r.ID, q, len(whose), w.ledger.story(q))
			continue
		}
		found[whose[0]]++
	}
	for at, e := range mine {
		surelyShared := !slices.ContainsFunc(e.can, func(h held) bool { return h.share != bot.ShareQuote })
		switch n := found[at]; {
		case n > 1:
			say("round %s gives back %d replies of %s", r.ID, n, at.person)
		case n == 0 && surelyShared && e.gone == stays:
			say("round %s does not give back what %s wrote: %+v\n%s", r.ID, at.person, e.can, w.history(at.person))
		case n == 1 && e.gone == isGone && last:
			say("round %s still gives back what %s took away: %+v", r.ID, at.person, e.can)
		}
	}
	return len(shown)
}

// history is what a person did and heard lately, for when something is wrong.
func (w *world) history(person string) string {
	w.ledger.mu.Lock()
	defer w.ledger.mu.Unlock()
	raw, _ := os.ReadFile(w.chat.path)
	lines := slices.DeleteFunc(strings.Split(string(raw), "\n"), func(l string) bool { return !strings.Contains(l, `"@`+person+`"`) })
	return w.ledger.about(person) + "\n" + strings.Join(lines[max(0, len(lines)-30):], "\n")
}

// rest lets everything come to its end: no request is unanswered, no round open, no post under way. Then every code takes
// exactly one reply away.
func (w *world) rest() {
	p := w.begin(0)
	ctx := w.t.Context()
	for _, who := range w.people {
		who.settle(ctx, w)
	}
	w.switchOn(ctx)
	for _, channel := range crew { // one round that nobody disturbs
		w.call.post(ctx, "irma", "/control", url.Values{"place": {channel}, "do": {"next"}})
		before, _ := w.chat.prompt(channel)
		for began := time.Now(); time.Since(began) < 2*time.Second; time.Sleep(20 * time.Millisecond) {
			if now, _ := w.chat.prompt(channel); now.id != before.id {
				break
			}
		}
		for _, who := range w.people {
			if slices.Contains(who.channels, channel) {
				who.replyByForm(ctx, w, channel)
			}
		}
	}
	quiet := func() {
		for _, channel := range crew {
			w.call.post(ctx, "irma", "/say", url.Values{"place": {channel}, "text": {"/weerklank uit"}})
			w.call.post(ctx, "irma", "/control", url.Values{"place": {channel}, "do": {"close"}})
		}
		for seen, since, began := -1, time.Now(), time.Now(); time.Since(since) < 800*time.Millisecond && time.Since(began) < 10*time.Second; time.Sleep(50 * time.Millisecond) {
			w.chat.last("", func(*message) bool { return false })
			if w.chat.off != int64(seen) {
				seen, since = int(w.chat.off), time.Now()
			}
		}
	}
	quiet()
	w.terminate(p)
	w.audit(false, nil)
	p = w.begin(0)
	for _, who := range w.people { // what was cut off may have happened
		for at, e := range maps.Clone(w.ledger.entries) {
			if at.person != who.ID || e.gone != mayBeGone {
				continue
			}
			said := w.takeAway(ctx, who, e.can[0].code)
			if said != who.say("reply.removed") && said != who.say("reply.code-unknown") {
				w.wrong("%s took a reply away again and read %q", who.ID, said)
			}
			w.ledger.setGone(at, isGone)
		}
		for range 4 {
			at, code, ok := w.ledger.removable(who.ID, w.chat.quoted)
			if !ok {
				break
			}
			if said := w.takeAway(ctx, who, code); said != who.say("reply.removed") {
				w.wrong("the code of a confirmed reply of %s in round %s is answered %q", who.ID, at.round, said)
			}
			w.ledger.setGone(at, isGone)
			if said := w.takeAway(ctx, who, code); said != who.say("reply.code-unknown") {
				w.wrong("the code of a reply of %s in round %s works twice: %q", who.ID, at.round, said)
			}
		}
	}
	quiet()
	w.terminate(p)
	w.audit(true, nil)
	var said strings.Builder
	if code := run(ctx, []string{"verify", "--config", w.config}, unset, strings.NewReader(""), io.Discard, &said); code != exitOK {
		w.wrong("verify: exit code %d: %s", code, &said)
	}
	w.sums.confirmed += w.ledger.confirmed
	w.sums.unknown += w.ledger.unknown
	w.sums.removals += w.ledger.removals
}

func (w *world) takeAway(ctx context.Context, who *inhabitant, code string) string {
	if _, ok := w.call.post(ctx, who.ID, "/say", url.Values{"place": {"bot"}, "text": {"verwijder " + code}}); !ok {
		w.wrong("%s got no answer", who.ID)
	}
	said, _ := w.chat.last(who.direct(), func(m *message) bool { return m.from == "" })
	return plainText(said.now)
}

// planted breaks a promise in a copy, again and again, and wants the audit to see each.
func (w *world) planted() {
	var at place
	var r bot.RoundID
	unsure := map[bot.RoundID]bool{}
	w.audit(false, func(b *bolt.DB) { // of a question there is most to see
		err := b.View(func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("rounds")).ForEach(func(id, raw []byte) error {
				var one bot.Round
				err := json.Unmarshal(raw, &one)
				unsure[bot.RoundID(id)] = one.Kind != bot.RoundQuestion
				return err
			})
		})
		if err != nil {
			w.t.Error(err)
		}
	})
	for p, e := range w.ledger.entries {
		if len(e.can) > 1 || e.gone == mayBeGone {
			unsure[p.round] = true
		}
	}
	for p, e := range w.ledger.entries {
		if !unsure[p.round] && e.gone == stays && w.chat.quoted(e.can[0].text()) {
			at, r = p, p.round
		}
	}
	if r == "" {
		w.t.Log("no round was given back: nothing to plant in")
		return
	}
	inTx := func(f func(*bolt.Tx) error) func(*bolt.DB) {
		return func(b *bolt.DB) {
			if err := b.Update(f); err != nil {
				w.t.Error(err)
			}
		}
	}
	nothing := func(*bolt.DB) {}
	seen := func(what string, tamper func(*bolt.DB)) {
		if len(w.audit(false, tamper)) == 0 {
			w.t.Errorf("the audit does not see %s", what)
		}
	}
	if found := w.audit(false, nothing); len(found) > 0 {
		w.t.Errorf("nothing was planted, and the audit finds %v", found)
	}
	seen("a reply that is not on the shelf", inTx(func(tx *bolt.Tx) error {
		shelf := tx.Bucket([]byte("shelf")).Bucket([]byte(r))
		k, _ := shelf.Cursor().First()
		return shelf.Delete(k)
	}))
	seen("a post that was queued again", inTx(func(tx *bolt.Tx) error {
		posts := tx.Bucket([]byte("posts"))
		id := []byte(string(r) + "/give-back")
		raw := regexp.MustCompile(`"key":"[^"]*"`).ReplaceAll(posts.Get(id), []byte(`"key":"another"`))
		return posts.Put(id, raw)
	}))
	seen("a round that is lost", inTx(func(tx *bolt.Tx) error {
		rounds := tx.Bucket([]byte("rounds"))
		var round bot.Round
		if err := json.Unmarshal(rounds.Get([]byte(r)), &round); err != nil {
			return err
		}
		round.State = bot.RoundLost
		raw, err := json.Marshal(round)
		if err != nil {
			return err
		}
		return rounds.Put([]byte(r), raw)
	}))
	extra := place{"somebody", r}
	w.ledger.confirm(extra, held{texts: []string{"Dit is verloren."}, share: bot.ShareQuote})
	seen("a confirmed reply that is gone", nothing)
	delete(w.ledger.entries, extra)
	old := w.ledger.entries[at].can
	w.ledger.entries[at].can = []held{{texts: []string{"Een oudere versie."}, share: bot.ShareQuote}}
	seen("a reply in an older version", nothing)
	w.ledger.entries[at].can = old
	w.chat.mu.Lock()
	for _, m := range w.chat.messages {
		if m.thread != "" && slices.Contains(quotes(m.now), old[0].text()) {
			twice := *m
			twice.id = "twice"
			w.chat.messages = append(w.chat.messages, &twice)
			break
		}
	}
	w.chat.mu.Unlock()
	seen("a message that stands there twice", nothing)
	w.chat.mu.Lock()
	w.chat.messages = w.chat.messages[:len(w.chat.messages)-1]
	w.chat.mu.Unlock()
}

// number reads a number from the environment.
func number(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// The program is killed at every moment, again and again, while people answer, change, withdraw and take away, rounds
// open, close and are given back, and the file is compacted and copied. Whatever was confirmed is there, once; nothing is
// said twice; nothing is stuck (TRUST D1, D2, D14, D17, S1, S10). WEERKLANK_KILLS says how often, WEERKLANK_SEED repeats
// a run as far as the machine lets it.
func TestKilledAtEveryMoment(t *testing.T) {
	t.Parallel()
	kills := number(t, "WEERKLANK_KILLS", 40)
	until := 30 * time.Second // for a slow machine
	if os.Getenv("WEERKLANK_KILLS") != "" {
		until = 24 * time.Hour
	}
	seed := uint64(number(t, "WEERKLANK_SEED", int(time.Now().UnixNano()&0x7fffffff)))
	t.Logf("WEERKLANK_SEED=%d WEERKLANK_KILLS=%d", seed, kills)
	const life = 50 // kills on one data directory
	s := &sums{rounds: map[bot.RoundState]int{}}
	began := time.Now()
	over := func() bool { return s.kills >= kills || t.Failed() || time.Since(began) > until }
	for n := uint64(0); !over(); n++ {
		w := newWorld(t, seed+n, s)
		for run, most := 0, s.kills+life; s.kills < most && !over(); run++ {
			w.suffer(run)
		}
		w.rest()
		if n == 0 {
			w.planted()
		}
		if t.Failed() {
			t.Logf("seed of this directory: %d; store and chat: see the messages above", seed+n)
			return
		}
		if kills > life {
			t.Logf("%d kills, %v", s.kills, time.Since(began).Round(time.Second))
		}
	}
	t.Logf("%d kills (%d of them while starting), %d ends by SIGTERM (slowest %v), slowest start %v, %v in all", s.kills, s.early, s.terms, s.slowestStop.Round(time.Millisecond), s.slowest.Round(time.Millisecond), time.Since(began).Round(time.Second))
	t.Logf("%d answers confirmed, %d requests cut off, %d replies taken away by code; rounds %v, votes %d, %d quotes, most messages in a directory %d", s.confirmed, s.unknown, s.removals, s.rounds, s.votes, s.quotes, s.messages)
	if s.rounds[bot.RoundGivenBack] == 0 || s.confirmed == 0 || s.quotes == 0 {
		t.Error("nothing was given back: the test looks at nothing")
	}
}
