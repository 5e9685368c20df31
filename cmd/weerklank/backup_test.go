package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"filippo.io/age"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/chattest"
	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

func newKey(t *testing.T) *age.X25519Identity {
	t.Helper()
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// lay puts empty files with these names in a directory.
func lay(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("something"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func namesIn(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// Backups older than keep go, never the newest, and nothing else (TRUST 13.1).
func TestRotation(t *testing.T) {
	now := time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)
	day := func(n int) string { return backupName(now.AddDate(0, 0, -n)) }
	foreign := []string{
		"weerklank-2020.db.age", "weerklank-20200101T030000.000Z.db", "weerklank-20200101T030000.000Z.db.age.part", "other-20200101T030000.000Z.db.age",
		"weerklank-20200101T030000.000Z.db.age.bak", "weerklank-20209999T030000.000Z.db.age", "notes.txt",
	}
	for name, tc := range map[string]struct{ there, want []string }{
		"older go":                     {[]string{day(0), day(1), day(13), day(14), day(15), day(40)}, []string{day(0), day(1), day(13), day(14)}},
		"the last good one stays":      {[]string{day(90), day(100)}, []string{day(90)}},
		"one from a clock that is off": {[]string{day(-400), day(20), day(1)}, []string{day(-400), day(1)}},
		"none":                         {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			lay(t, dir, append(slices.Clone(foreign), tc.there...)...)
			folder := day(300)
			if err := os.Mkdir(filepath.Join(dir, folder), 0o700); err != nil { // a folder is no backup
				t.Fatal(err)
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			if err := rotate(root, now.AddDate(0, 0, -14)); err != nil {
				t.Fatal(err)
			}
			want := append(append(slices.Clone(foreign), tc.want...), folder)
			slices.Sort(want)
			if got := namesIn(t, dir); !slices.Equal(got, want) {
				t.Errorf("%v, want %v", got, want)
			}
		})
	}
}

// A backup that was missed while the program was down is made soon, if the newest is older than a day.
func TestFirstBackup(t *testing.T) {
	amsterdam, err := time.LoadLocation("Europe/Amsterdam")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, amsterdam)
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, amsterdam) }
	soon := now.Add(backupSoon)
	for name, tc := range map[string]struct {
		spec         string
		newest, want time.Time
	}{
		"made tonight":                 {"0 3 * * *", at(26, 3), at(27, 3)},
		"missed tonight, by a while":   {"0 3 * * *", at(25, 3), soon},
		"made by hand after a miss":    {"0 3 * * *", at(26, 9), at(27, 3)},
		"yesterday afternoon, by hand": {"0 3 * * *", at(25, 15), at(27, 3)},
		"none at all":                  {"0 3 * * *", time.Time{}, soon},
		"every week, nothing missed":   {"0 3 * * MON", at(23, 3), at(30, 3)},
		"every week, and missed":       {"0 3 * * MON", at(20, 3), soon},
	} {
		cron, err := bot.ParseCron("schedule", tc.spec, amsterdam)
		if err != nil {
			t.Fatal(err)
		}
		if got := firstBackup(cron, tc.newest, now); !got.Equal(tc.want) {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

// scheduled makes the parts that backups need, on a store in a directory.
func scheduled(t *testing.T, dir string, log io.Writer, recipients ...string) *parts {
	t.Helper()
	c := defaultConfig()
	c.DataDir, c.Backup.Recipients = dir, recipients
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(root, "weerklank.db", store.Options{MaxSize: 256 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close(); root.Close() })
	return &parts{c: c, db: db, root: root, log: slog.New(slog.NewTextHandler(log, nil))}
}

// Three weeks by the clock: a backup every night at the team's own time, over a change of the clocks; one that fails is
// tried again within the hour and turns nothing red; after fourteen days the oldest go; the metric tells the last one.
func TestScheduledBackups(t *testing.T) {
	chattest.Bubble(t, func(t *testing.T) {
		chattest.Until(time.Date(2026, 10, 20, 10, 0, 0, 0, time.UTC))
		dir, key, log := t.TempDir(), newKey(t), &chattest.Log{}
		p := scheduled(t, dir, log, key.Recipient().String())
		p.taking = make(chan struct{})
		metric := func() string {
			w := httptest.NewRecorder()
			p.admin().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
			return regexp.MustCompile(`(?m)^weerklank_backup_last_success_timestamp_seconds (\S+)$`).FindString(w.Body.String())
		}
		if err := p.scheduleBackups(); err != nil {
			t.Fatal(err)
		}
		if got := metric(); !strings.HasSuffix(got, " 0") {
			t.Errorf("before the first: %q", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { p.backups.run(ctx); close(ended) }()
		backups := filepath.Join(dir, backupsDir)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := namesIn(t, backups); !slices.Equal(got, []string{"weerklank-20261020T100010.000Z.db.age"}) {
			t.Errorf("soon after the first start: %v", got)
		}
		chattest.Until(time.Date(2026, 10, 26, 1, 30, 0, 0, time.UTC))
		synctest.Wait()
		got := namesIn(t, backups)
		if len(got) != 6 || got[1] != "weerklank-20261021T010000.000Z.db.age" || got[5] != "weerklank-20261025T020000.000Z.db.age" {
			t.Errorf("at three in Amsterdam, in summer and in winter: %v", got)
		}
		aside := backups + "-aside"
		if err := os.Rename(backups, aside); err != nil {
			t.Fatal(err)
		}
		lay(t, dir, backupsDir) // no directory can be made there
		time.Sleep(time.Hour)
		synctest.Wait()
		if !strings.Contains(log.String(), "level=ERROR msg=backup") {
			t.Errorf("a failed backup was not told:\n%s", log)
		}
		if err := errors.Join(os.Remove(backups), os.Rename(aside, backups)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := namesIn(t, backups); len(got) != 7 || !strings.HasPrefix(got[6], "weerklank-20261026T03") {
			t.Errorf("after the failure: %v", got)
		}
		time.Sleep(16 * 24 * time.Hour)
		synctest.Wait()
		got = namesIn(t, backups)
		if len(got) != 15 || got[0] < "weerklank-20261028" { // the one of exactly fourteen days ago and everything since
			t.Errorf("after a fortnight: %d %v", len(got), got)
		}
		last, _ := madeAt(got[len(got)-1])
		if want := fmt.Sprintf("%v", float64(last.Unix())); !strings.HasSuffix(metric(), " "+want) {
			t.Errorf("%q, want %s", metric(), want)
		}
		cancel()
		<-ended

		// The next start knows of it.
		again := &parts{c: p.c, log: p.log}
		if err := again.scheduleBackups(); err != nil || again.lastBackup.Load() != last.Unix() {
			t.Errorf("%d %v", again.lastBackup.Load(), err)
		}
	})
}

// Without recipients there are no backups by themselves, and the log says so once, with the next step.
func TestNoScheduledBackups(t *testing.T) {
	log := &chattest.Log{}
	p := scheduled(t, t.TempDir(), log)
	if err := p.scheduleBackups(); err != nil || p.backups != nil {
		t.Errorf("%v %v", p.backups, err)
	}
	if text := log.String(); strings.Count(text, "level=WARN") != 1 || !strings.Contains(text, "age-keygen") || !strings.Contains(text, "recipients") {
		t.Error(text)
	}
}

// Recipients: usual keys, keys against quantum computers, and nothing that is neither.
func TestRecipients(t *testing.T) {
	hybrid, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	one, two := newKey(t).Recipient().String(), newKey(t).Recipient().String()
	pq := hybrid.Recipient().String()
	typo := two[:len(two)-1] + "q"
	if typo == two { // one key in thirty-two
		typo = two[:len(two)-1] + "p"
	}
	for name, tc := range map[string]struct {
		recipients []string
		want       string
	}{
		"two":           {[]string{one, two}, ""},
		"post-quantum":  {[]string{pq}, ""},
		"none":          {nil, ""},
		"mixed":         {[]string{one, pq}, "do not go together"},
		"a typo":        {[]string{one, typo}, "number 2: write a public key"},
		"an SSH key":    {[]string{"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIL+ x@y"}, "A key of SSH is not taken"},
		"a secret key":  {[]string{newKey(t).String()}, "number 1 is a secret key"},
		"an empty line": {[]string{""}, "number 1: write a public key"},
	} {
		c := defaultConfig()
		c.Backup.Recipients = tc.recipients
		err := checkConfig(&env{lookup: unset, lang: prompts.English}, c, nil)
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), "AGE-SECRET-KEY-1") {
			t.Errorf("%s: the secret is said back: %v", name, err)
		}
	}
	seal, err := sealer([]string{pq})
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := seal(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "text"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := age.Decrypt(&out, hybrid); err != nil {
		t.Error(err)
	} else if text, err := io.ReadAll(r); err != nil || string(text) != "text" {
		t.Errorf("%q %v", text, err)
	}
}

// A backup holds no freed text, no key slot and no account, also when nothing was erased yet, and the file itself nothing
// at all that can be read (A29). The directory of the key slots is not looked at: here it is not even a directory.
func TestBackupHoldsNoMore(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	p := scheduled(t, dir, testLog{t}, key.Recipient().String())
	ctx := t.Context()
	const ballot, slot, live, account = "BALLOT-MARKER", "SLOT-MARKER", "LIVE-MARKER", "U0ACCOUNT"
	keys := filepath.Join(dir, keysDir)
	if err := os.Mkdir(keys, 0o700); err != nil {
		t.Fatal(err)
	}
	keyRoot, err := os.OpenRoot(keys)
	if err != nil {
		t.Fatal(err)
	}
	defer keyRoot.Close()
	if err := store.OpenKeys(keyRoot).Create(ctx, bot.KeySlot{Name: "R.ballot", Key: []byte(slot)}); err != nil {
		t.Fatal(err)
	}
	if err := p.db.UpdateTeam(ctx, "workspace:crew", func(t *bot.Team) (bot.Also, error) { t.State = bot.TeamOn; return bot.Also{}, nil }); err != nil {
		t.Fatal(err)
	}
	due := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	r := bot.Round{ID: "R", Team: "workspace:crew", Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: due, Closes: due}
	if err := p.db.PlanRound(ctx, r, func(*bot.Team) (bot.Also, error) { return bot.Also{}, nil }); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		err := p.db.Cast(ctx, "R", bot.Address{byte(i)}, func(bot.Slip) (bot.Slip, error) {
			return bot.Slip{Ballot: bytes.Repeat([]byte(ballot+account), 230), Aside: []byte(ballot)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = p.db.Release(ctx, "R", []bot.SealedReply{{ID: "x", Receipt: [32]byte{1}, Sealed: []byte(live)}}, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.State = bot.RoundClosed
		return bot.Also{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "weerklank.db"))
	if err != nil || !bytes.Contains(raw, []byte(ballot)) {
		t.Fatalf("nothing of the deleted ballots is left to be found (%v)", err)
	}
	if err := errors.Join(os.RemoveAll(keys), os.WriteFile(keys, []byte(slot), 0)); err != nil {
		t.Fatal(err)
	}
	order, err := p.c.order()
	if err != nil {
		t.Fatal(err)
	}
	path, at, err := backup(ctx, p.db, order)
	if err != nil {
		t.Fatal(err)
	}
	if newest, made := newestBackup(order.dir); newest != path || !made.Equal(at) {
		t.Errorf("the newest is %s of %v", newest, made)
	}
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := age.Decrypt(bytes.NewReader(sealed), key)
	if err != nil {
		t.Fatal(err)
	}
	open, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(open, []byte(live)) {
		t.Error("the backup lacks what is live: the test looks in the wrong place")
	}
	for _, gone := range []string{ballot, slot, account} {
		if bytes.Contains(open, []byte(gone)) {
			t.Errorf("%s stands in the backup", gone)
		}
	}
	for _, word := range []string{live, ballot, slot, account, "workspace:crew", "shelf"} {
		if bytes.Contains(sealed, []byte(word)) {
			t.Errorf("%s can be read without a key", word)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}

// A store that is truncated, zeroed, flipped or something else: one line of what is wrong and one of what to do, exit 1,
// within five seconds (S4). A flipped bit in what nothing depends on may pass; then the store is whole and works. The
// pages carry no checksums, so that a bit within a text cannot be told.
func TestDamagedStores(t *testing.T) {
	t.Parallel()
	lib := t.TempDir()
	p := scheduled(t, lib, testLog{t})
	for i := range 60 {
		err := p.db.UpdateTeam(t.Context(), bot.TeamID(fmt.Sprintf("workspace:%d", i)), func(t *bot.Team) (bot.Also, error) {
			t.State, t.Name = bot.TeamOn, strings.Repeat("n", 1500)
			return bot.Also{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := p.db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(filepath.Join(lib, "weerklank.db"))
	if err != nil {
		t.Fatal(err)
	}
	const page = 4096
	used := 0 // pages up to the last one that is not empty
	for i := range len(whole) / page {
		if slices.ContainsFunc(whole[i*page:(i+1)*page], func(b byte) bool { return b != 0 }) {
			used = i + 1
		}
	}
	type spoiled struct {
		name  string
		bytes []byte
		must  bool // it cannot pass
	}
	corpus := []spoiled{
		{"empty", nil, true}, {"one byte", []byte{1}, true}, {"all zeros", make([]byte, len(whole)), true},
		{"a page of words", bytes.Repeat([]byte("<html>no database</html>"), 1000), true},
	}
	flip := func(b []byte, at int, mask byte) []byte { b = bytes.Clone(b); b[at] ^= mask; return b }
	blank := func(from, to int) []byte { b := bytes.Clone(whole); clear(b[from:to]); return b }
	for _, at := range []int{1, page, 2*page + 7, used * page / 2, (used - 1) * page, (used-1)*page + 100} {
		corpus = append(corpus, spoiled{fmt.Sprintf("cut at %d", at), whole[:at], true})
	}
	corpus = append(corpus, spoiled{"no meta pages", blank(0, 2*page), true}, spoiled{"wrong magic", flip(flip(whole, 16, 0xFF), page+16, 0xFF), true})
	rare := 1 // WEERKLANK_LONG=1 takes all of these
	if os.Getenv("WEERKLANK_LONG") == "" {
		rare = 3
	}
	for i := 0; i < min(used, 12); i += rare {
		corpus = append(corpus, spoiled{fmt.Sprintf("page %d zeroed", i), blank(i*page, (i+1)*page), false})
	}
	for i, at := range []int{8, 20, 32, 40, 60, page + 10} { // flags, version, root, freelist, checksum
		corpus = append(corpus, spoiled{fmt.Sprintf("bit at %d", at), flip(whole, at, 1<<(i%8)), false})
	}
	for i := 2; i < used; i += max(used*rare/10, 1) {
		corpus = append(corpus, spoiled{fmt.Sprintf("header of page %d", i), flip(whole, i*page+8+i%8, 1<<(i%8)), false},
			spoiled{fmt.Sprintf("inside page %d", i), flip(whole, i*page+16+i%40, 1<<(i%8)), false})
	}
	dir := t.TempDir()
	file, config := filepath.Join(dir, "data", "weerklank.db"), filepath.Join(dir, "c.toml")
	text := fmt.Sprintf("data_dir = %q\n[workspace]\nenabled = true\nlisten = \"127.0.0.1:0\"\n[admin]\nlisten = \"127.0.0.1:0\"\n", filepath.Join(dir, "data"))
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "data"), 0o700), os.WriteFile(config, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
	try := func(s spoiled, args ...string) int {
		t.Helper()
		if err := os.WriteFile(file, s.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		var stdout, stderr bytes.Buffer
		began := time.Now()
		code := run(t.Context(), args, unset, strings.NewReader(""), &stdout, &stderr)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s, %s: %v", s.name, args[0], took)
		}
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		switch {
		case code == exitFailure && (!strings.Contains(lines[0], "damaged") && !strings.Contains(lines[0], "newer") || len(lines) != 2 || len(lines[0]) > 500):
			t.Errorf("%s, %s: %.600s", s.name, args[0], stderr.String())
		case code != exitFailure && (s.must || code != exitOK):
			t.Errorf("%s, %s: exit code %d: %s", s.name, args[0], code, stderr.String())
		}
		for _, content := range []string{"workspace:", "nnnn", "776f726b73706163653a", "6e6e6e6e"} { // as text and as digits
			if strings.Contains(stderr.String(), content) {
				t.Errorf("%s, %s: what stands in the store is told: %.300s", s.name, args[0], stderr.String())
			}
		}
		if now, err := os.ReadFile(file); code == exitFailure && (err != nil || !bytes.Equal(now, s.bytes)) {
			t.Errorf("%s, %s: the file was written to (%v)", s.name, args[0], err)
		}
		return code
	}
	passed := 0
	for i, s := range corpus {
		code := try(s, "verify", "--config", config)
		if code == exitOK {
			passed++
		}
		if code == exitOK || i%8 == 0 { // whoever opens it looks the same way
			if again := try(s, "status", "--config", config); again != code {
				t.Errorf("%s: verify says %d, status %d", s.name, code, again)
			}
		}
		if i == 0 || s.name == "all zeros" {
			try(s, "run", "--config", config)
		}
	}
	t.Logf("%d files, %d of them whole enough", len(corpus), passed)
	if passed > len(corpus)/2 {
		t.Errorf("%d of %d passed", passed, len(corpus))
	}
}
