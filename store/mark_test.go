package store

import (
	"os"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// A platform's mark survives a restart, holds no more than a minute, and is never later than what was said.
func TestMarkOfAPlatform(t *testing.T) {
	dir, ctx := t.TempDir(), t.Context()
	db := openIn(t, dir, Options{})
	if at, err := db.Mark(ctx, "mattermost"); err != nil || !at.IsZero() {
		t.Errorf("before any: %v, %v", at, err)
	}
	said := time.Date(2026, 9, 1, 10, 7, 59, 999_999_999, time.FixedZone("", 2*3600))
	if err := db.SetMark(ctx, "mattermost", said); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openIn(t, dir, Options{})
	want := time.Date(2026, 9, 1, 8, 7, 0, 0, time.UTC)
	if at, err := db.Mark(ctx, "mattermost"); err != nil || !at.Equal(want) {
		t.Errorf("after a restart: %v, %v", at, err)
	}
	if at, err := db.Mark(ctx, "slack"); err != nil || !at.IsZero() {
		t.Errorf("of another platform: %v, %v", at, err)
	}
	writes := func() (n int) {
		db.bolt.View(func(tx *bolt.Tx) error { n = tx.ID(); return nil })
		return n
	}
	before := writes()
	if err := db.SetMark(ctx, "mattermost", said.Add(-20*time.Second)); err != nil {
		t.Fatal(err)
	}
	if writes() != before {
		t.Error("the same minute was written again: the file tells when something came")
	}
	found, err := db.Inspect(ctx, OpenKeys(testRoot(t, keysIn(t))), time.Now())
	if err != nil || len(found) > 0 {
		t.Errorf("inspection finds %v, %v", found, err)
	}
	if err := db.Check(ctx); err != nil {
		t.Error(err)
	}
}

func keysIn(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
