package store

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
)

func random5148() []byte { b := make([]byte, 5148); rand.Read(b); return b }

// inspected is a store with one open round and one whose replies are kept, as they should be.
type inspected struct {
	t          *testing.T
	dir        string
	db         *DB
	keys       *Keys
	open, kept bot.RoundID
	reply      bot.ReplyID
	now        time.Time
}

func newInspected(t *testing.T) *inspected {
	t.Helper()
	s := &inspected{t: t, dir: t.TempDir(), open: bot.RoundID(rand.Text()), kept: bot.RoundID(rand.Text()), reply: bot.ReplyID(rand.Text()), now: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)}
	ctx := t.Context()
	s.db = openIn(t, s.dir, Options{})
	if err := os.Mkdir(filepath.Join(s.dir, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	s.keys = OpenKeys(testRoot(t, filepath.Join(s.dir, "keys")))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.db.UpdateTeam(ctx, "test:crew", noAlso))
	for i, id := range []bot.RoundID{s.kept, s.open} {
		must(s.keys.Create(ctx, bot.KeySlot{Name: string(id) + ".ballot", Key: random5148()[:64]}))
		due := s.now.AddDate(0, 0, 7*i)
		must(s.db.PlanRound(ctx, bot.Round{ID: id, Team: "test:crew", Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: due, Closes: due}, noAlso))
		for n := range 6 {
			must(s.db.Cast(ctx, id, bot.Address([]byte(rand.Text() + rand.Text())[:32]), func(bot.Slip) (bot.Slip, error) {
				if n == 5 {
					return bot.Slip{Aside: random5148()}, nil
				}
				return bot.Slip{Ballot: random5148()}, nil
			}))
		}
		if id == s.open {
			break
		}
		must(s.keys.Create(ctx, bot.KeySlot{Name: string(id) + ".shelf", Key: random5148()[:32]}))
		var replies []bot.SealedReply
		for range 3 {
			replies = append(replies, bot.SealedReply{ID: s.reply, Receipt: [32]byte(random5148()), Sealed: random5148()[:300]})
			s.reply = bot.ReplyID(rand.Text())
		}
		s.reply = replies[0].ID
		must(s.db.Release(ctx, id, replies, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
			r.State, r.Keep = bot.RoundGivenBack, s.now.AddDate(0, 0, 90)
			return bot.Also{}, nil
		}))
		must(s.keys.Destroy(ctx, string(id)+".ballot"))
		must(s.db.Erase(ctx))
	}
	return s
}

// look inspects the store in use, and the file after it was closed: both must find the same.
func (s *inspected) look() []Finding {
	s.t.Helper()
	live, err := s.db.Inspect(s.t.Context(), s.keys, s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	s.db.bolt.Close()
	root := testRoot(s.t, s.dir)
	alone, err := Inspect(root, "weerklank.db", testRoot(s.t, filepath.Join(s.dir, "keys")), s.now)
	if err != nil {
		s.t.Fatal(err)
	}
	if fmt.Sprint(live) != fmt.Sprint(alone) {
		s.t.Errorf("in use it finds %v, closed %v", live, alone)
	}
	return alone
}

// round changes a round's record as no program would.
func (s *inspected) round(id bot.RoundID, edit func(*bot.Round)) {
	s.t.Helper()
	err := s.db.bolt.Update(func(tx *bolt.Tx) error {
		var r bot.Round
		if err := json.Unmarshal(tx.Bucket(bRounds).Get([]byte(id)), &r); err != nil {
			return err
		}
		edit(&r)
		return put(tx.Bucket(bRounds), string(id), r)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *inspected) update(f func(tx *bolt.Tx) error) {
	s.t.Helper()
	if err := s.db.bolt.Update(f); err != nil {
		s.t.Fatal(err)
	}
}

func (s *inspected) write(name string, size int, mode os.FileMode) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), make([]byte, size), mode); err != nil {
		s.t.Fatal(err)
	}
}

// Each promise that can be checked on the real files is checked: a planted violation is found, by its kind and number, and
// nothing else is (TRUST A30).
func TestInspectFindsEveryViolation(t *testing.T) {
	for name, tc := range map[string]struct {
		plant func(*inspected)
		want  []FindingKind
		count int
	}{
		"nothing": {func(*inspected) {}, nil, 0},
		"a slip of another length": {func(s *inspected) {
			s.update(func(tx *bolt.Tx) error {
				return tx.Bucket(bOpen).Bucket([]byte(s.open)).Bucket(kAside).Put(random5148()[:32], random5148()[:5100])
			})
		}, []FindingKind{FoundSizes}, 1},
		"a slip that is not sealed": {func(s *inspected) {
			s.update(func(tx *bolt.Tx) error {
				b := random5148()
				copy(b[1000:], "Ik kijk eerst wie er staat, en dan pas naar de regel.")
				return tx.Bucket(bOpen).Bucket([]byte(s.open)).Bucket(kBallots).Put(b[:32], b)
			})
		}, []FindingKind{FoundPlain}, 1},
		"a kept reply that is not sealed": {func(s *inspected) {
			s.update(func(tx *bolt.Tx) error {
				shelf := tx.Bucket(bShelf).Bucket([]byte(s.kept))
				raw := append(slices.Clone(shelf.Get([]byte(s.reply))[:32]), `{"text":"Ik kijk eerst wie er staat."}`...)
				return shelf.Put([]byte(s.reply), raw)
			})
		}, []FindingKind{FoundPlain}, 1},
		"a box of a round that is over": {func(s *inspected) {
			s.round(s.open, func(r *bot.Round) { r.State = bot.RoundTooFew })
		}, []FindingKind{FoundBox, FoundSlot}, 1},
		"a box without a round": {func(s *inspected) {
			s.update(func(tx *bolt.Tx) error { _, err := tx.Bucket(bOpen).CreateBucket([]byte(rand.Text())); return err })
		}, []FindingKind{FoundBox}, 1},
		"the ballot key of a closed round": {func(s *inspected) { s.write("keys/"+string(s.kept)+".ballot", slotSize, 0o600) }, []FindingKind{FoundSlot}, 1},
		"keys of no round": {func(s *inspected) {
			s.write("keys/X.shelf", slotSize, 0o600)
			s.write("keys/X.ballot", slotSize, 0o600)
		}, []FindingKind{FoundSlot}, 2},
		"kept without a last day": {func(s *inspected) {
			s.round(s.kept, func(r *bot.Round) { r.Keep = time.Time{} })
		}, []FindingKind{FoundShelf, FoundSlot}, 1},
		"kept too long": {func(s *inspected) { s.now = s.now.AddDate(0, 0, 92) }, []FindingKind{FoundOverdue}, 1},
		"a receipt without a reply": {func(s *inspected) {
			s.update(func(tx *bolt.Tx) error {
				return tx.Bucket(bReceipts).Put(random5148()[:32], zero(string(s.kept), rand.Text()))
			})
		}, []FindingKind{FoundReceipts}, 1},
		"a reply without its receipt": {func(s *inspected) {
			s.update(func(tx *bolt.Tx) error {
				return tx.Bucket(bReceipts).Delete(tx.Bucket(bShelf).Bucket([]byte(s.kept)).Get([]byte(s.reply))[:32])
			})
		}, []FindingKind{FoundReceipts}, 1},
		"a key folder that all may read": {func(s *inspected) { os.Chmod(filepath.Join(s.dir, "keys"), 0o755) }, []FindingKind{FoundModes}, 1},
		"a slot that all may read":       {func(s *inspected) { os.Chmod(filepath.Join(s.dir, "keys", string(s.open)+".ballot"), 0o644) }, []FindingKind{FoundModes}, 1},
		"a slot of another size":         {func(s *inspected) { s.write("keys/"+string(s.open)+".ballot", 64, 0o600) }, []FindingKind{FoundModes}, 1},
		"a stranger among the slots":     {func(s *inspected) { s.write("keys/notes.txt~", 3, 0o600) }, []FindingKind{FoundForeign}, 1},
		"half a copy beside the store":   {func(s *inspected) { s.write("weerklank.db.part", 8192, 0o600) }, []FindingKind{FoundLeftover}, 1},
		"an old store beside it": {func(s *inspected) {
			s.write("weerklank.db.old", 8192, 0o600)
			s.write("weerklank.db.schema-3", 8192, 0o600)
		}, []FindingKind{FoundLeftover}, 2},
		"a removed reply in freed pages": {func(s *inspected) {
			s.update(func(tx *bolt.Tx) error {
				shelf := tx.Bucket(bShelf).Bucket([]byte(s.kept))
				receipt := slices.Clone(shelf.Get([]byte(s.reply))[:32])
				return firstOf(shelf.Delete([]byte(s.reply)), tx.Bucket(bReceipts).Delete(receipt))
			})
		}, []FindingKind{FoundFreed}, -1},
		"ballots in freed pages": {func(s *inspected) {
			s.update(func(tx *bolt.Tx) error {
				box := tx.Bucket(bOpen).Bucket([]byte(s.open))
				return firstOf(box.DeleteBucket(kBallots), box.DeleteBucket(kAside), tx.Bucket(bOpen).DeleteBucket([]byte(s.open)))
			})
			s.round(s.open, func(r *bot.Round) { r.State = bot.RoundTooFew })
			if err := s.keys.Destroy(s.t.Context(), string(s.open)+".ballot"); err != nil {
				s.t.Fatal(err)
			}
		}, []FindingKind{FoundFreed}, -1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newInspected(t)
			tc.plant(s)
			got := s.look()
			var kinds []FindingKind
			for _, f := range got {
				kinds = append(kinds, f.Kind)
				if len(tc.want) > 0 && f.Kind == tc.want[0] && tc.count > 0 && f.Count != tc.count {
					t.Errorf("%s: %d times, want %d", f.Kind, f.Count, tc.count)
				}
			}
			if !slices.Equal(kinds, tc.want) {
				t.Errorf("found %v, want %v", got, tc.want)
			}
		})
	}
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// A closing that was cut before its freed pages were overwritten is no finding: its mark says that it still comes. Nor
// are the older versions of an open box, what a compaction left in free pages, or a backup without its keys.
func TestInspectKnowsWhatIsUnderWay(t *testing.T) {
	s := newInspected(t)
	ctx := t.Context()
	for range 20 { // older versions in freed pages
		at := bot.Address(random5148()[:32])
		for range 2 {
			if err := s.db.Cast(ctx, s.open, at, func(bot.Slip) (bot.Slip, error) { return bot.Slip{Ballot: random5148()}, nil }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.db.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := s.db.Inspect(ctx, s.keys, s.now); err != nil || len(got) > 0 {
		t.Errorf("an open box: %v %v", got, err)
	}
	backups := t.TempDir()
	if err := s.db.Backup(ctx, testRoot(t, backups), "b.db", plain); err != nil {
		t.Fatal(err)
	}
	if got, err := Inspect(testRoot(t, backups), "b.db", nil, s.now); err != nil || len(got) > 0 {
		t.Errorf("a backup: %v %v", got, err)
	}
	err := s.db.Release(ctx, s.open, nil, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.State = bot.RoundClosed
		return bot.Also{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.keys.Destroy(ctx, string(s.open)+".ballot"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.db.Inspect(ctx, s.keys, s.now); err != nil || len(got) > 0 {
		t.Errorf("marked to be overwritten: %v %v", got, err)
	}
	if err := s.db.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if err := s.db.UpdateTeam(ctx, bot.TeamID(fmt.Sprint("test:", i)), func(t *bot.Team) (bot.Also, error) { t.Name = strings.Repeat("n", 900); return bot.Also{}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.db.Inspect(context.Background(), s.keys, s.now); err != nil || len(got) > 0 {
		t.Errorf("a busy store without a box: %v %v", got, err)
	}
}
