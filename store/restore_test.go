package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
)

// A restored store says nothing again and leaves no round waiting (TRUST 13.3, S12).
func TestRestoredStoreIsQuiet(t *testing.T) {
	dir, fresh := t.TempDir(), t.TempDir()
	db := openIn(t, dir, Options{})
	ctx := t.Context()
	due := time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC)
	for _, id := range []bot.TeamID{"test:closed", "test:open"} {
		if err := db.UpdateTeam(ctx, id, func(t *bot.Team) (bot.Also, error) { t.State = bot.TeamOn; return bot.Also{}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(id bot.RoundID, team bot.TeamID) {
		r := bot.Round{ID: id, Team: team, Kind: bot.RoundQuestion, State: bot.RoundOpen, Due: due, Closes: due, GivesBack: due.Add(time.Hour)}
		if err := db.PlanRound(ctx, r, func(t *bot.Team) (bot.Also, error) { t.Open = id; return bot.Also{}, nil }); err != nil {
			t.Fatal(err)
		}
	}
	begin("c", "test:closed")
	begin("o", "test:open")
	err := db.Release(ctx, "c", []bot.SealedReply{{ID: "x", Receipt: [32]byte{1}, Sealed: []byte("sealed")}}, func(r *bot.Round, _ *bot.Team) (bot.Also, error) {
		r.State, r.Tally, r.Keep = bot.RoundClosed, &bot.Tally{Respondents: 6}, due.AddDate(0, 0, 90)
		return bot.Also{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, state := range []bot.PostState{bot.PostQueued, bot.PostSending, bot.PostUncertain, bot.PostSent} {
		text := bot.Message{Blocks: []bot.Block{bot.Text(bot.Span{Text: "TEXT-" + string(state)})}}
		if err := db.Queue(ctx, bot.Post{ID: bot.PostID(state), Team: "test:open", State: state, Message: text}); err != nil {
			t.Fatal(err)
		}
	}
	if at, err := db.Restored(ctx); err != nil || !at.IsZero() {
		t.Errorf("restored %v, %v", at, err)
	}
	if err := db.Erase(ctx); err != nil { // so that no mark comes along
		t.Fatal(err)
	}
	backups := t.TempDir()
	if err := db.Backup(ctx, testRoot(t, backups), "b.db", plain); err != nil {
		t.Fatal(err)
	}
	before := time.Now()
	if err := Restore(testRoot(t, backups), "b.db", testRoot(t, fresh), "weerklank.db"); err != nil {
		t.Fatal(err)
	}

	db = openIn(t, fresh, Options{})
	if at, err := db.Restored(ctx); err != nil || at.Before(before.Add(-time.Second)) || at.After(time.Now()) {
		t.Errorf("restored %v, %v", at, err)
	}
	if posts, next, err := db.Pending(ctx, time.Now(), 10); err != nil || len(posts) != 0 || !next.IsZero() {
		t.Errorf("to be posted: %v, next %v, %v", posts, next, err)
	}
	for id, want := range map[bot.PostID]bot.PostState{"queued": bot.PostFailed, "sending": bot.PostFailed, "uncertain": bot.PostFailed, "sent": bot.PostSent} {
		p, err := db.Post(ctx, id)
		if err != nil || p.State != want || want == bot.PostFailed && len(p.Message.Blocks) > 0 {
			t.Errorf("%s: %+v, %v", id, p, err)
		}
	}
	r, err := db.Round(ctx, "c")
	if err != nil || r.State != bot.RoundLost || r.Tally != nil || !r.Wake().IsZero() {
		t.Errorf("closed round: %+v, %v", r, err)
	}
	if shelf, err := db.Shelf(ctx, "c"); err != nil || len(shelf) != 0 {
		t.Errorf("its replies: %v, %v", shelf, err)
	}
	if err := db.Unshelve(ctx, [32]byte{1}, keepRound); !errors.Is(err, bot.ErrNotFound) {
		t.Errorf("its receipts: %v", err)
	}
	if team, err := db.Team(ctx, "test:closed"); err != nil || team.Open != "" {
		t.Errorf("its team waits for %q, %v", team.Open, err)
	}
	if r, err := db.Round(ctx, "o"); err != nil || r.State != bot.RoundOpen {
		t.Errorf("open round, which is the bot's to end: %v, %v", r.State, err)
	}
	if tasks, _, err := db.Due(ctx, due.AddDate(1, 0, 0), 10); err != nil || len(tasks) != 1 || tasks[0].Round != "o" {
		t.Errorf("agenda: %v, %v", tasks, err)
	}
	if err := db.Erase(ctx); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(fresh, "weerklank.db"))
	if err != nil || !bytes.Contains(raw, []byte("TEXT-sent")) {
		t.Fatalf("the texts are sought in the wrong place (%v)", err)
	}
	for _, gone := range []string{"TEXT-queued", "TEXT-sending", "TEXT-uncertain", "sealed"} {
		if bytes.Contains(raw, []byte(gone)) {
			t.Errorf("%q stands there after erasing", gone)
		}
	}
	if err := db.ForgetRestored(ctx); err != nil {
		t.Fatal(err)
	}
	if at, err := db.Restored(ctx); err != nil || !at.IsZero() {
		t.Errorf("forgotten: %v, %v", at, err)
	}
}

// A backup of an older schema is whole, and comes back in this program's; a newer one is refused.
func TestOldBackups(t *testing.T) {
	backups := t.TempDir()
	db := openIn(t, t.TempDir(), Options{})
	addTeams(t, db, 3, 10)
	if err := db.Backup(t.Context(), testRoot(t, backups), "b.db", plain); err != nil {
		t.Fatal(err)
	}
	later := Options{upgrades: append(upgrades(), func(tx *bolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists([]byte("new"))
		return err
	})}.filled()
	if err := verify(testRoot(t, backups), "b.db", later); err != nil {
		t.Errorf("an older schema: %v", err)
	}
	if err := verify(testRoot(t, backups), "b.db", Options{upgrades: []upgrade{}}.filled()); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer schema: %v", err)
	}
	fresh := t.TempDir()
	if err := restore(testRoot(t, backups), "b.db", testRoot(t, fresh), "weerklank.db", Options{upgrades: []upgrade{}}.filled(), time.Now()); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer schema restored: %v", err)
	}
	if left := names(t, fresh); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	if err := restore(testRoot(t, backups), "b.db", testRoot(t, fresh), "weerklank.db", later, time.Now()); err != nil {
		t.Fatal(err)
	}
	again := openIn(t, fresh, Options{upgrades: later.upgrades})
	err := again.view(t.Context(), func(tx *bolt.Tx) error {
		if schemaOf(tx) != uint64(len(later.upgrades)) || tx.Bucket([]byte("new")) == nil {
			t.Errorf("schema %d", schemaOf(tx))
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if left := names(t, fresh); len(left) != 1 {
		t.Errorf("left: %v", left)
	}
}

// A file that is in use is not a damaged one.
func TestVerifyLocked(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir, Options{})
	if err := Verify(testRoot(t, dir), "weerklank.db"); !errors.Is(err, ErrLocked) {
		t.Error(err)
	}
}
