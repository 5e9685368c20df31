package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
)

func noAlso(*bot.Team) (bot.Also, error) { return bot.Also{}, nil }

func keepRound(*bot.Round, *bot.Team) (bot.Also, error) { return bot.Also{}, nil }

// addTeams writes n teams of the given size.
func addTeams(t testing.TB, db *DB, n, size int) {
	t.Helper()
	for i := range n {
		err := db.UpdateTeam(context.Background(), bot.TeamID(fmt.Sprintf("test:%d", i)), func(t *bot.Team) (bot.Also, error) {
			t.Name = strings.Repeat("x", size)
			return bot.Also{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// snapshot copies a folder as a kill at this moment would leave it, second names included.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var infos []fs.FileInfo
	for _, e := range entries {
		from := filepath.Join(dir, e.Name())
		info, err := os.Stat(from)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(infos, func(old fs.FileInfo) bool { return os.SameFile(old, info) })
		infos = append(infos, info)
		if i >= 0 {
			err = os.Link(filepath.Join(to, entries[i].Name()), filepath.Join(to, e.Name()))
		} else {
			var raw []byte
			if raw, err = os.ReadFile(from); err == nil {
				err = os.WriteFile(filepath.Join(to, e.Name()), raw, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func names(t *testing.T, dir string) (all []string) {
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

// Cut anywhere, one whole store stands there after the next start, and no second copy that could be read (TRUST S3, S16).
func TestCutAnywhere(t *testing.T) {
	next := append(upgrades(), func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists([]byte("new"))
		return err
	})
	for name, tc := range map[string]struct {
		act   func(*testing.T, string, Options)
		least int // steps
		teams int
	}{
		"create": {func(t *testing.T, dir string, o Options) { openIn(t, dir, o).Close() }, 3, 0},
		"compact": {func(t *testing.T, dir string, o Options) {
			db := openIn(t, dir, Options{})
			addTeams(t, db, 60, 40_000)
			db.o.step = func(at string) {
				o.step(at)
				if db.Replaced() || db.Healthy() != nil { // asked while the lock is held, and never true of one's own swap
					t.Errorf("%s: the store takes its own swap for somebody else's", at)
				}
			}
			if err := db.Compact(t.Context()); err != nil {
				t.Fatal(err)
			}
			db.Close()
		}, 10, 60},
		"restore": {func(t *testing.T, dir string, o Options) {
			db, backups := openIn(t, t.TempDir(), Options{}), t.TempDir()
			addTeams(t, db, 60, 40_000)
			if err := db.Backup(t.Context(), testRoot(t, backups), "b.db", plain); err != nil {
				t.Fatal(err)
			}
			if err := restore(testRoot(t, backups), "b.db", testRoot(t, dir), "weerklank.db", o.filled(), time.Now()); err != nil {
				t.Fatal(err)
			}
			openIn(t, dir, Options{}).Close()
		}, 6, 60},
		"upgrade": {func(t *testing.T, dir string, o Options) {
			db := openIn(t, dir, Options{})
			addTeams(t, db, 60, 40_000)
			db.Close()
			o.upgrades = next
			openIn(t, dir, o).Close()
		}, 8, 60},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			var cuts, steps []string
			tc.act(t, dir, Options{step: func(at string) {
				steps = append(steps, at)
				cuts = append(cuts, snapshot(t, dir))
			}})
			if len(cuts) < tc.least {
				t.Fatalf("only %d steps: %v", len(cuts), steps)
			}
			for i, cut := range cuts {
				t.Run(fmt.Sprintf("%02d %s", i, steps[i]), func(t *testing.T) {
					if _, err := os.Stat(filepath.Join(cut, "weerklank.db")); name == "restore" && errors.Is(err, fs.ErrNotExist) {
						return // nothing is there yet, and the next restore begins anew
					}
					db := openIn(t, cut, Options{upgrades: next})
					if teams, err := db.Teams(t.Context()); err != nil || len(teams) != tc.teams {
						t.Errorf("%d teams, %v", len(teams), err)
					}
					if err := db.Check(t.Context()); err != nil {
						t.Error(err)
					}
					if left := names(t, cut); len(left) != 1 {
						t.Errorf("left: %v", left)
					}
				})
			}
		})
	}
}

// What bears a name that is not the store's own left-over stays.
func TestSweepTakesOnlyItsOwn(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir, Options{}).Close()
	foreign := []string{"weerklank.db.bak", "weerklank.db.older", "other.db.old", "weerklank.db.schema-x", "keys"}
	for _, name := range append(foreign, "weerklank.db.old", "weerklank.db.part", "weerklank.db.new", "weerklank.db.new-1x", "weerklank.db.schema-0", "weerklank.db.schema-3.part") {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("something"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	openIn(t, dir, Options{}).Close()
	want := append(foreign, "weerklank.db")
	slices.Sort(want)
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// A newer program's file, and what it has beside it, is left alone.
func TestNewerFileIsNotSwept(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir, Options{upgrades: append(upgrades(), func(*bolt.Tx) error { return nil })}).Close()
	beside := filepath.Join(dir, "weerklank.db.schema-1")
	if err := os.WriteFile(beside, []byte("copy"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(testRoot(t, dir), "weerklank.db", Options{}); !errors.Is(err, ErrNewer) {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(beside); err != nil || string(raw) != "copy" {
		t.Errorf("%q %v", raw, err)
	}
}

// A process that waits for the lock while another swaps the file must not get the file that lost its name.
func TestWaitingWhileTheFileIsSwapped(t *testing.T) {
	dir := t.TempDir()
	first := openIn(t, dir, Options{})
	addTeams(t, first, 50, 10)
	waiting := make(chan string, 100)
	done := make(chan error, 1)
	go func() {
		_, err := Open(testRoot(t, dir), "weerklank.db", Options{Timeout: 2 * time.Second, MaxSize: 64 << 20, step: func(at string) { waiting <- at }})
		done <- err
	}()
	<-waiting // it has the old file open
	if err := first.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, ErrLocked) {
		t.Errorf("the second got the store: %v", err)
	}
	addTeams(t, first, 51, 10)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := openIn(t, dir, Options{})
	if teams, err := second.Teams(t.Context()); err != nil || len(teams) != 51 {
		t.Errorf("%d teams, %v", len(teams), err)
	}
}

// Two who create at once: one gets the store, the other finds it locked, and neither writes over the other.
func TestTwoCreate(t *testing.T) {
	for _, moment := range []string{"creating", "created"} {
		dir := t.TempDir()
		var other *DB
		_, err := Open(testRoot(t, dir), "weerklank.db", Options{Timeout: 100 * time.Millisecond, step: func(at string) {
			if at == moment && other == nil {
				other = openIn(t, dir, Options{})
			}
		}})
		if !errors.Is(err, ErrLocked) {
			t.Errorf("%s: the second: %v", moment, err)
		}
		if other.Replaced() {
			t.Errorf("%s: the first store was written over", moment)
		}
		if left := names(t, dir); len(left) != 1 {
			t.Errorf("%s: left: %v", moment, left)
		}
	}
}

// A file that was put in the store's place meanwhile is neither erased in nor swapped away.
func TestReplacedFileIsNotWritten(t *testing.T) {
	dir := t.TempDir()
	db := openIn(t, dir, Options{})
	addTeams(t, db, 50, 1000)
	if err := db.update(t.Context(), func(tx *bolt.Tx) error { return markErase(tx, []byte("r")) }); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "weerklank.db")
	if err := os.Rename(file, filepath.Join(dir, "aside")); err != nil {
		t.Fatal(err)
	}
	put := bytes.Repeat([]byte{1}, 8<<20)
	if err := os.WriteFile(file, put, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := db.Healthy(); !errors.Is(err, ErrReplaced) {
		t.Errorf("healthy: %v", err)
	}
	if err := db.Erase(t.Context()); !errors.Is(err, ErrReplaced) {
		t.Errorf("erase: %v", err)
	}
	if err := db.Compact(t.Context()); !errors.Is(err, ErrReplaced) {
		t.Errorf("compact: %v", err)
	}
	if raw, err := os.ReadFile(file); err != nil || !bytes.Equal(raw, put) {
		t.Errorf("the file that was put there changed (%v)", err)
	}
	if left := names(t, dir); len(left) != 2 {
		t.Errorf("left: %v", left)
	}
}

// A mark that is set while pages are being erased stays: its pages were freed too late for this time.
func TestMarkSetWhileErasing(t *testing.T) {
	dir := t.TempDir()
	db := openIn(t, dir, Options{})
	ctx := t.Context()
	addTeams(t, db, 1, 1)
	r := bot.Round{ID: "r", Team: "test:0", Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: time.Unix(1e9, 0)}
	if err := db.PlanRound(ctx, r, noAlso); err != nil {
		t.Fatal(err)
	}
	var replies []bot.SealedReply
	for i := range 40 {
		replies = append(replies, bot.SealedReply{ID: bot.ReplyID(fmt.Sprintf("id%03d", i)), Receipt: [32]byte{1, byte(i)}, Sealed: bytes.Repeat([]byte("SECRETTEXT|"), 100)})
	}
	if err := db.Release(ctx, "r", replies, func(r *bot.Round, _ *bot.Team) (bot.Also, error) { r.State = bot.RoundClosed; return bot.Also{}, nil }); err != nil {
		t.Fatal(err)
	}
	removed := 0
	db.o.step = func(at string) {
		for ; at == "zeroed" && removed < len(replies); removed++ {
			if err := db.Unshelve(ctx, [32]byte{1, byte(removed)}, keepRound); err != nil {
				t.Error(err)
			}
		}
	}
	for range 2 {
		if err := db.Erase(ctx); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(filepath.Join(dir, "weerklank.db"))
	if err != nil || removed == 0 {
		t.Fatal(removed, err)
	}
	if n := bytes.Count(raw, []byte("SECRETTEXT")); n != 0 {
		t.Errorf("%d traces of removed replies stay, and no mark", n)
	}
	err = db.view(ctx, func(tx *bolt.Tx) error {
		if k, _ := tx.Bucket(bErase).Cursor().First(); k != nil {
			t.Errorf("mark %s stays for nothing", k)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// The answer "there already" may only be given of something that lasts: the call that saw another's effect in the batch
// is asked again after it, and here the batch had no space.
func TestAnswersOfABatchThatFails(t *testing.T) {
	db := openIn(t, t.TempDir(), Options{MaxSize: 64 << 20})
	ctx := t.Context()
	addTeams(t, db, 1, 1)
	r := bot.Round{ID: "r", Team: "test:0", Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: time.Unix(1e9, 0)}
	if err := db.PlanRound(ctx, r, noAlso); err != nil {
		t.Fatal(err)
	}
	there := errors.New("there already")
	at := bot.Address{1}
	cast := func(tx *bolt.Tx) error {
		b := tx.Bucket(bOpen).Bucket([]byte("r")).Bucket(kBallots)
		if b.Get(at[:]) != nil {
			return there
		}
		return b.Put(at[:], []byte("ballot"))
	}
	mine := errors.New("mine")
	calls := []*call{
		{f: cast}, {f: cast}, // a delivery and its redelivery
		{f: func(tx *bolt.Tx) error { return tx.Bucket(bTeams).Put([]byte("big"), make([]byte, 80<<20)) }},
		{f: func(*bolt.Tx) error { return mine }},
		{f: func(*bolt.Tx) error { panic("a handler's fault") }},
	}
	for _, c := range calls {
		c.done = make(chan struct{})
	}
	db.writeBatch(slices.Clone(calls))
	for _, c := range calls {
		<-c.done
	}
	if !errors.Is(calls[0].err, bot.ErrFull) || !errors.Is(calls[2].err, bot.ErrFull) {
		t.Errorf("without space: %v, %v", calls[0].err, calls[2].err)
	}
	if s, err := db.Slip(ctx, "r", at); calls[1].err != nil || err != nil || string(s.Ballot) != "ballot" {
		t.Errorf("the redelivery was answered %v, and %q is stored (%v)", calls[1].err, s.Ballot, err)
	}
	if calls[3].err != mine || calls[4].panicked == nil {
		t.Errorf("own errors: %v, %v", calls[3].err, calls[4].panicked)
	}
	again := []*call{{f: cast, done: make(chan struct{})}}
	db.writeBatch(again)
	if again[0].err != there {
		t.Errorf("once it lasts: %v", again[0].err)
	}
}

// limitFiles sets the largest size of a file for the rest of the test.
func limitFiles(t *testing.T, size uint64) (lift func()) {
	t.Helper()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		t.Fatal(err)
	}
	now := old
	now.Cur = size
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &now); err != nil {
		t.Fatal(err)
	}
	lift = func() { syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old) }
	t.Cleanup(lift)
	return lift
}

// A file that may not grow refuses as a full disk does: bbolt says so in words only. Part of a meta page on the disk is
// another matter.
func TestGrowthRefused(t *testing.T) {
	dir := t.TempDir()
	db := openIn(t, dir, Options{})
	ctx := t.Context()
	addTeams(t, db, 1, 1)
	fill := func() (err error) {
		for i := 0; err == nil && i < 2000; i++ {
			err = db.UpdateTeam(ctx, bot.TeamID(fmt.Sprintf("test:%d", i)), func(t *bot.Team) (bot.Also, error) {
				t.Name = strings.Repeat("x", 20_000)
				return bot.Also{}, nil
			})
		}
		return err
	}
	lift := limitFiles(t, 20<<20)
	err := fill()
	if !errors.Is(err, bot.ErrFull) || errors.Is(err, ErrBroken) {
		t.Fatalf("at the limit: %v", err)
	}
	lift()
	if err := db.UpdateTeam(ctx, "test:after", noAlso); err != nil {
		t.Errorf("it did not heal: %v", err)
	}
	if err := db.Check(ctx); err != nil {
		t.Error(err)
	}

	lift = limitFiles(t, 20<<20)
	err = db.update(ctx, func(tx *bolt.Tx) error {
		if _, err := db.file.WriteAt([]byte{1}, 100); err != nil { // behind the checksum: the file stays good
			return err
		}
		return tx.Bucket(bTeams).Put([]byte("big"), make([]byte, 30<<20))
	})
	lift()
	if !errors.Is(err, ErrBroken) || !errors.Is(db.Healthy(), ErrBroken) {
		t.Errorf("with a meta page that changed: %v", err)
	}
	select {
	case <-db.Broken():
	default:
		t.Error("nobody hears that the store is broken")
	}
}

func TestFull(t *testing.T) {
	for _, why := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		for _, tc := range []struct {
			err  error
			want bool
		}{
			{&fs.PathError{Op: "write", Path: "x", Err: why}, true},
			{fmt.Errorf("file resize error: %s", &fs.PathError{Op: "truncate", Path: "x", Err: why}), true},
			{why, false}, // a sync
			{&fs.PathError{Op: "sync", Path: "x", Err: why}, false},
			{fmt.Errorf("file sync error: %s", &fs.PathError{Op: "sync", Path: "x", Err: why}), false},
			{&fs.PathError{Op: "write", Path: "x", Err: syscall.EIO}, false},
			{fmt.Errorf("file resize error: %s", &fs.PathError{Op: "truncate", Path: "x", Err: syscall.EIO}), false},
		} {
			if full(tc.err) != tc.want {
				t.Errorf("%v: %v", tc.err, !tc.want)
			}
		}
	}
}

// Whoever stops the program does not wait for a whole copy, and nothing of it stays.
func TestCopiesCanBeStopped(t *testing.T) {
	dir, backups := t.TempDir(), t.TempDir()
	db := openIn(t, dir, Options{})
	addTeams(t, db, 100, 40_000)
	for name, act := range map[string]func(context.Context) error{
		"compact": db.Compact,
		"backup":  func(ctx context.Context) error { return db.Backup(ctx, testRoot(t, backups), "weerklank-1.db", plain) },
	} {
		ctx, cancel := context.WithCancel(t.Context())
		copied := 0
		db.o.step = func(at string) {
			if at == "copying" {
				copied++
				cancel()
			}
		}
		if err := act(ctx); !errors.Is(err, context.Canceled) || copied != 1 {
			t.Errorf("%s: %v, after %d transactions", name, err, copied)
		}
	}
	db.o.step = func(string) {}
	if left := append(names(t, dir), names(t, backups)...); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
	if teams, err := db.Teams(t.Context()); err != nil || len(teams) != 100 {
		t.Errorf("%d teams, %v", len(teams), err)
	}
}

// Half a backup is cleared away by the next one, unless somebody is writing it.
func TestHalfBackups(t *testing.T) {
	dir, backups := t.TempDir(), t.TempDir()
	db := openIn(t, dir, Options{})
	for _, name := range []string{"weerklank-1.db.part", "weerklank-2.db.part", "film.part"} {
		if err := os.WriteFile(filepath.Join(backups, name), []byte("something"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	busy, err := os.Open(filepath.Join(backups, "weerklank-2.db.part"))
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	if err := syscall.Flock(int(busy.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if err := db.Backup(t.Context(), testRoot(t, backups), "weerklank-3.db", plain); err != nil {
		t.Fatal(err)
	}
	want := []string{"film.part", "weerklank-2.db.part", "weerklank-3.db"}
	if got := names(t, backups); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// The copy is the same, bucket by bucket, also where it takes several transactions.
func TestCopyIsWhole(t *testing.T) {
	dir := t.TempDir()
	db := openIn(t, dir, Options{})
	ctx := t.Context()
	addTeams(t, db, 80, 30_000)
	for i := range 3 {
		r := bot.Round{ID: bot.RoundID(fmt.Sprintf("r%d", i)), Team: "test:0", Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: time.Unix(1e9+int64(i), 0)}
		if err := db.PlanRound(ctx, r, noAlso); err != nil {
			t.Fatal(err)
		}
		for j := range 200 {
			if err := db.Cast(ctx, r.ID, bot.Address{byte(j)}, func(bot.Slip) (bot.Slip, error) {
				return bot.Slip{Ballot: make([]byte, 5148), Aside: []byte{byte(j)}}, nil
			}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := db.Queue(ctx, bot.Post{ID: "p", State: bot.PostQueued}); err != nil {
		t.Fatal(err)
	}
	type entry struct {
		path, value string
		sequence    uint64
	}
	all := func() (out []entry) {
		var walk func(string, *bolt.Bucket) error
		walk = func(path string, b *bolt.Bucket) error {
			out = append(out, entry{path: path, sequence: b.Sequence()})
			return b.ForEach(func(k, v []byte) error {
				if v == nil {
					return walk(path+"/"+string(k), b.Bucket(k))
				}
				out = append(out, entry{path: path + "/" + string(k), value: string(v)})
				return nil
			})
		}
		err := db.view(ctx, func(tx *bolt.Tx) error {
			return tx.ForEach(func(name []byte, b *bolt.Bucket) error { return walk(string(name), b) })
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	before := all()
	if err := db.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	if after := all(); !slices.Equal(before, after) {
		t.Errorf("%d entries became %d, or they differ", len(before), len(after))
	}
}
