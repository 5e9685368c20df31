package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
)

// Whatever was acknowledged is read back at once, also while the file is checked, copied, erased in and swapped.
func TestReadYourWritesBesideTheOperator(t *testing.T) {
	db := openIn(t, t.TempDir(), Options{})
	addTeams(t, db, 20, 1000)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			id := bot.TeamID(fmt.Sprintf("test:%d", i))
			for n := 1; ctx.Err() == nil; n++ {
				err := db.UpdateTeam(context.Background(), id, func(t *bot.Team) (bot.Also, error) {
					t.Name = strconv.Itoa(n)
					return bot.Also{}, nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				now, err := db.Team(context.Background(), id)
				if err != nil || now.Name != strconv.Itoa(n) {
					t.Errorf("%s: wrote %d, read %s (%v)", id, n, now.Name, err)
					return
				}
			}
		})
	}
	backups, n := testRoot(t, t.TempDir()), 0
	for what, do := range map[string]func() error{
		"check":   func() error { return db.Check(ctx) },
		"compact": func() error { return db.Compact(ctx) },
		"backup":  func() error { n++; return db.Backup(ctx, backups, fmt.Sprintf("b-%d.db", n), plain) },
		"erase": func() error {
			err := db.update(ctx, func(tx *bolt.Tx) error { return markErase(tx, []byte("r")) })
			if err == nil {
				err = db.Erase(ctx)
			}
			if errors.Is(err, bot.ErrBusy) {
				return nil
			}
			return err
		},
	} {
		all.Go(func() {
			for ctx.Err() == nil {
				if err := do(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v", what, err)
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	all.Wait()
	if err := db.Check(t.Context()); err != nil {
		t.Error(err)
	}
}
