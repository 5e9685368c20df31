package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/store/storetest"
)

func testRoot(t testing.TB, dir string) *os.Root {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

// openIn opens a store and checks its file at the end of the test.
func openIn(t testing.TB, dir string, o Options) *DB {
	t.Helper()
	if o.MaxSize == 0 {
		o.MaxSize = 256 << 20
	}
	db, err := Open(testRoot(t, dir), "weerklank.db", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if db.bolt == nil {
			return
		}
		if err := db.Check(context.Background()); err != nil && !errors.Is(err, bolterr.ErrDatabaseNotOpen) {
			t.Error(err)
		}
		db.Close()
	})
	return db
}

func TestContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Harness {
		dir := t.TempDir()
		db := openIn(t, dir, Options{strict: true})
		return storetest.Harness{Store: db, Reopen: func() bot.Store {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			return openIn(t, dir, Options{})
		}}
	})
}

func TestKeys(t *testing.T) {
	dir := t.TempDir()
	k := OpenKeys(testRoot(t, dir))
	ctx := t.Context()
	secret := bytes.Repeat([]byte{0xA7}, 64)
	if err := k.Create(ctx, bot.KeySlot{Name: "R1.ballot", Key: secret}, bot.KeySlot{Name: "R1.shelf", Key: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if err := k.Create(ctx, bot.KeySlot{Name: "R2.ballot", Key: secret}, bot.KeySlot{Name: "R1.ballot", Key: []byte("other")}); !errors.Is(err, bot.ErrExists) {
		t.Errorf("made twice: %v", err)
	}
	if _, err := k.Open(ctx, "R2.ballot"); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("half of a failed creation stayed: %v", err)
	}
	if got, err := k.Open(ctx, "R1.ballot"); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("%x, %v", got, err)
	}
	info, err := os.Stat(filepath.Join(dir, "R1.ballot"))
	if err != nil || info.Size() != slotSize || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	second := filepath.Join(t.TempDir(), "hardlink") // what stays on the disk under another name
	if err := os.Link(filepath.Join(dir, "R1.ballot"), second); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := k.Destroy(ctx, "R1.ballot", "never.there"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := k.Open(ctx, "R1.ballot"); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("destroyed and open: %v", err)
	}
	raw, err := os.ReadFile(second)
	if err != nil || bytes.Contains(raw, secret[:8]) || len(raw) != slotSize {
		t.Errorf("the key's bytes are still there (%v)", err)
	}
	for _, name := range []string{"../x.ballot", "a/b.ballot", "x", ".ballot", "x.ballot\n", strings.Repeat("x", 99) + ".ballot"} {
		if err := k.Create(ctx, bot.KeySlot{Name: name, Key: secret}); err == nil {
			t.Errorf("%q was taken as a name", name)
		}
		if _, err := k.Open(ctx, name); !errors.Is(err, bot.ErrNotFound) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if slots, err := k.Slots(ctx); err != nil || len(slots) != 1 {
		t.Errorf("%v %v", slots, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "R3.ballot"), []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Open(ctx, "R3.ballot"); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("a slot cut short: %v", err)
	}
}

// A slot that could not be overwritten keeps its name: without one nobody would try again.
func TestKeyThatCannotBeOverwritten(t *testing.T) {
	k := OpenKeys(testRoot(t, t.TempDir()))
	if err := k.Create(t.Context(), bot.KeySlot{Name: "R.ballot", Key: []byte("key")}); err != nil {
		t.Fatal(err)
	}
	lift := limitFiles(t, 0)
	err := k.Destroy(t.Context(), "R.ballot")
	lift()
	if err == nil {
		t.Error("the overwrite was refused and nobody heard")
	}
	if slots, err := k.Slots(t.Context()); err != nil || len(slots) != 1 {
		t.Errorf("slots: %v, %v", slots, err)
	}
	if err := k.Destroy(t.Context(), "R.ballot"); err != nil {
		t.Error(err)
	}
	if slots, err := k.Slots(t.Context()); err != nil || len(slots) != 0 {
		t.Errorf("slots: %v, %v", slots, err)
	}
}

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir, Options{})
	began := time.Now()
	_, err := Open(testRoot(t, dir), "weerklank.db", Options{Timeout: 200 * time.Millisecond})
	if !errors.Is(err, ErrLocked) || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestNewerAndUpgrade(t *testing.T) {
	dir := t.TempDir()
	db := openIn(t, dir, Options{})
	if err := db.UpdateTeam(t.Context(), "test:x", func(t *bot.Team) (bot.Also, error) { t.Name = "kept"; return bot.Also{}, nil }); err != nil {
		t.Fatal(err)
	}
	db.Close()
	next := append(upgrades(), func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists([]byte("new"))
		return err
	})
	failing := append(upgrades(), func(tx *bolt.Tx) error { return errors.New("halfway") })
	if _, err := Open(testRoot(t, dir), "weerklank.db", Options{upgrades: failing}); err == nil {
		t.Error("a failing upgrade opened")
	}
	db = openIn(t, dir, Options{upgrades: next})
	if got, err := db.Team(t.Context(), "test:x"); err != nil || got.Name != "kept" {
		t.Errorf("%v %v", got.Name, err)
	}
	db.Close()
	if _, err := Open(testRoot(t, dir), "weerklank.db", Options{}); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer file: %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*schema*"))
	if len(left) != 0 {
		t.Errorf("copies left: %v", left)
	}
}

func TestDamagedFilesAreRefused(t *testing.T) {
	dir := t.TempDir()
	db := openIn(t, dir, Options{})
	for i := range 50 {
		if err := db.UpdateTeam(t.Context(), bot.TeamID(fmt.Sprintf("test:%d", i)), func(t *bot.Team) (bot.Also, error) {
			t.Name = strings.Repeat("x", 500)
			return bot.Also{}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	db.Close()
	whole, err := os.ReadFile(filepath.Join(dir, "weerklank.db"))
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func([]byte) []byte{
		"truncated":     func(b []byte) []byte { return b[:10*4096] },
		"cut in a page": func(b []byte) []byte { return b[:5000] },
		"empty":         func([]byte) []byte { return nil },
		"zeroed":        func(b []byte) []byte { return make([]byte, len(b)) },
		"metas zeroed":  func(b []byte) []byte { clear(b[:8192]); return b },
		"another database": func([]byte) []byte {
			file := filepath.Join(t.TempDir(), "other.db")
			b, err := bolt.Open(file, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			b.Close()
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			return raw
		},
		"something else": func([]byte) []byte { return []byte("<html>this is no database</html>") },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "weerklank.db"), spoil(bytes.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := Open(testRoot(t, dir), "weerklank.db", Options{MaxSize: 256 << 20})
			if err == nil {
				db.Close()
				t.Error("a damaged file opened")
			}
			if raw, rerr := os.ReadFile(filepath.Join(dir, "weerklank.db")); rerr != nil || !bytes.Equal(raw, spoil(bytes.Clone(whole))) {
				t.Errorf("it was written to (%v)", rerr)
			}
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("%v", err)
			}
		})
	}
}

// After releasing and erasing, no byte of a ballot or a text is in the file or in a backup of it (TRUST A3, A29).
func TestErasedBytesAreGone(t *testing.T) {
	dir := t.TempDir()
	db := openIn(t, dir, Options{})
	ctx := t.Context()
	marker := []byte("MARKER-OF-A-BALLOT")
	if err := db.UpdateTeam(ctx, "test:crew", func(t *bot.Team) (bot.Also, error) { return bot.Also{}, nil }); err != nil {
		t.Fatal(err)
	}
	due := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	r := bot.Round{ID: "r", Team: "test:crew", Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: due, Closes: due}
	if err := db.PlanRound(ctx, r, func(*bot.Team) (bot.Also, error) { return bot.Also{}, nil }); err != nil {
		t.Fatal(err)
	}
	for i := range 60 {
		sealed := bytes.Repeat(append(marker, byte(i)), 270)
		if err := db.Cast(ctx, "r", bot.Address{byte(i), 0xEE, 0xEE, 0xEE, 0xEE, 0xEE}, func(bot.Slip) (bot.Slip, error) {
			return bot.Slip{Ballot: sealed, Aside: sealed[:100]}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	count := func(name string) int {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Count(raw, marker) + bytes.Count(raw, []byte{0xEE, 0xEE, 0xEE, 0xEE, 0xEE})
	}
	file := filepath.Join(dir, "weerklank.db")
	if count(file) == 0 {
		t.Fatal("the marker was never in the file: the test looks in the wrong place")
	}
	err := db.Release(ctx, "r", []bot.SealedReply{{ID: "x", Receipt: [32]byte{1}, Sealed: []byte("sealed")}}, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.State = bot.RoundClosed
		return bot.Also{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count(file) == 0 {
		t.Log("bbolt left nothing behind this time")
	}
	// A reader keeps old pages alive: erasing waits for it (TRUST S11).
	tx, err := db.bolt.Begin(false)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Erase(ctx); !errors.Is(err, bot.ErrBusy) {
		t.Errorf("erased under a reader: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if err := db.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	if n := count(file); n != 0 {
		t.Errorf("%d traces of ballots in the file", n)
	}
	backups := t.TempDir()
	if err := db.Backup(ctx, testRoot(t, backups), "b.db", plain); err != nil {
		t.Fatal(err)
	}
	if n := count(filepath.Join(backups, "b.db")); n != 0 {
		t.Errorf("%d traces of ballots in the backup", n)
	}
	if err := db.Backup(ctx, testRoot(t, backups), "b.db", plain); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a backup was overwritten: %v", err)
	}
}

func TestBackupRestoreCompact(t *testing.T) {
	dir := t.TempDir()
	db := openIn(t, dir, Options{})
	ctx := t.Context()
	for i := range 200 {
		if err := db.UpdateTeam(ctx, bot.TeamID(fmt.Sprintf("test:%d", i)), func(t *bot.Team) (bot.Also, error) { t.Name = "n"; return bot.Also{}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	backups := t.TempDir()
	if err := db.Backup(ctx, testRoot(t, backups), "b.db", plain); err != nil {
		t.Fatal(err)
	}
	if err := Verify(testRoot(t, backups), "b.db"); err != nil {
		t.Error(err)
	}
	if err := db.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	if db.Replaced() {
		t.Error("its own swap counts as a replacement")
	}
	if err := db.UpdateTeam(ctx, "test:after", func(t *bot.Team) (bot.Also, error) { t.Name = "n"; return bot.Also{}, nil }); err != nil {
		t.Fatal(err)
	}
	if teams, err := db.Teams(ctx); err != nil || len(teams) != 201 {
		t.Errorf("%d teams, %v", len(teams), err)
	}
	if err := Restore(testRoot(t, backups), "b.db", testRoot(t, dir), "weerklank.db"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a store was overwritten: %v", err)
	}
	fresh := t.TempDir()
	if err := Restore(testRoot(t, backups), "b.db", testRoot(t, fresh), "weerklank.db"); err != nil {
		t.Fatal(err)
	}
	again := openIn(t, fresh, Options{})
	if teams, err := again.Teams(ctx); err != nil || len(teams) != 200 {
		t.Errorf("%d teams restored, %v", len(teams), err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.old")); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	os.Rename(filepath.Join(dir, "weerklank.db"), filepath.Join(dir, "moved"))
	if !db.Replaced() {
		t.Error("the file is gone and nobody noticed")
	}
}

// A full disk refuses visibly, keeps what was there, and heals by itself (TRUST S9).
func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=3m"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("no small file system: %v", err)
		}
		t.Skip("no right to mount a small file system")
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	db := openIn(t, dir, Options{})
	ctx := t.Context()
	if err := db.UpdateTeam(ctx, "test:a", func(t *bot.Team) (bot.Also, error) { t.Name = "kept"; return bot.Also{}, nil }); err != nil {
		t.Fatal(err)
	}
	ballast, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 64<<10)
	for {
		if _, err := ballast.Write(block); err != nil {
			break
		}
	}
	ballast.Close()
	var full error
	for i := range 200 {
		full = db.UpdateTeam(ctx, bot.TeamID(fmt.Sprintf("test:%d", i)), func(t *bot.Team) (bot.Also, error) {
			t.Name = strings.Repeat("x", 20000)
			return bot.Also{}, nil
		})
		if full != nil {
			break
		}
	}
	if !errors.Is(full, bot.ErrFull) {
		t.Fatalf("on a full disk: %v", full)
	}
	k := OpenKeys(testRoot(t, dir))
	if err := k.Create(ctx, bot.KeySlot{Name: "R.ballot", Key: []byte("k")}); !errors.Is(err, bot.ErrFull) {
		t.Errorf("key slot on a full disk: %v", err)
	}
	if got, err := db.Team(ctx, "test:a"); err != nil || got.Name != "kept" {
		t.Errorf("%v %v", got.Name, err)
	}
	if err := os.Remove(filepath.Join(dir, "ballast")); err != nil {
		t.Fatal(err)
	}
	if err := db.UpdateTeam(ctx, "test:b", func(t *bot.Team) (bot.Also, error) { t.Name = strings.Repeat("x", 20000); return bot.Also{}, nil }); err != nil {
		t.Errorf("it did not heal: %v", err)
	}
}

func TestMaxSize(t *testing.T) {
	db := openIn(t, t.TempDir(), Options{MaxSize: 1 << 20})
	var err error
	for i := range 400 {
		if err = db.UpdateTeam(t.Context(), bot.TeamID(fmt.Sprintf("test:%d", i)), func(t *bot.Team) (bot.Also, error) {
			t.Name = strings.Repeat("x", 20000)
			return bot.Also{}, nil
		}); err != nil {
			break
		}
	}
	if !errors.Is(err, bot.ErrFull) {
		t.Errorf("at the largest size: %v", err)
	}
}

// ---- benchmarks: a baseline pair in the same run

func BenchmarkPlan10000(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		db := openIn(b, dir, Options{MaxSize: 2 << 30})
		if err := os.Mkdir(filepath.Join(dir, "keys"), 0o700); err != nil {
			b.Fatal(err)
		}
		keys := OpenKeys(testRoot(b, filepath.Join(dir, "keys")))
		var wg sync.WaitGroup
		slots := make(chan struct{}, 64)
		each := func(f func(int)) {
			for i := range 10000 {
				slots <- struct{}{}
				wg.Go(func() { f(i); <-slots })
			}
			wg.Wait()
		}
		each(func(i int) {
			db.UpdateTeam(b.Context(), bot.TeamID(fmt.Sprintf("test:%d", i)), func(t *bot.Team) (bot.Also, error) { return bot.Also{}, nil })
		})
		b.StartTimer()
		each(func(i int) {
			id := fmt.Sprintf("R%05d", i)
			if err := keys.Create(b.Context(), bot.KeySlot{Name: id + ".ballot", Key: make([]byte, 64)}); err != nil {
				b.Error(err)
			}
			r := bot.Round{ID: bot.RoundID(id), Team: bot.TeamID(fmt.Sprintf("test:%d", i)), Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: time.Unix(1e9, 0)}
			if err := db.PlanRound(b.Context(), r, func(*bot.Team) (bot.Also, error) { return bot.Also{}, nil }); err != nil {
				b.Error(err)
			}
		})
	}
}
