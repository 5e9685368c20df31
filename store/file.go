package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/bot"
)

// lockSlice is how long erasing holds the writer lock at a time.
const lockSlice = 20 * time.Millisecond

// Erase implements bot.Shelf: it overwrites every free page and the tail of the file, in place (TRUST 2.4). Deleting is
// not erasing: bbolt leaves freed pages as they were.
func (d *DB) Erase(ctx context.Context) error {
	marked := map[string]bool{}
	err := d.view(ctx, func(tx *bolt.Tx) error {
		return tx.Bucket(bErase).ForEach(func(id, _ []byte) error { marked[string(id)] = true; return nil })
	})
	if err != nil || len(marked) == 0 {
		return err
	}
	for range 2 { // pages freed by the last commit are pending until two more have passed
		if err := d.update(ctx, func(*bolt.Tx) error { return nil }); err != nil {
			return err
		}
	}
	if err := d.zeroFree(ctx); err != nil {
		return err
	}
	return d.update(ctx, func(tx *bolt.Tx) error {
		for id := range marked {
			if err := tx.Bucket(bErase).Delete([]byte(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *DB) zeroFree(ctx context.Context) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	f, err := d.root.OpenFile(d.name, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("erase: %w", err)
	}
	defer f.Close()
	page := d.bolt.Info().PageSize
	blank := make([]byte, 64*page)
	for id, done := 2, false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		tx, err := d.bolt.Begin(true)
		if err != nil {
			return fmt.Errorf("erase: %w", err)
		}
		id, done, err = zeroSome(tx, f, d.bolt, id, page, blank)
		if err := errors.Join(err, tx.Rollback()); err != nil {
			return err
		}
	}
	return f.Sync()
}

// zeroSome overwrites free pages from the given one on, for as long as one slice of the writer lock lasts. It writes
// only pages that bbolt itself may reuse at any moment, and only while nobody reads older ones.
func zeroSome(tx *bolt.Tx, f *os.File, db *bolt.DB, id, page int, blank []byte) (next int, done bool, err error) {
	if db.Stats().OpenTxN > 0 {
		return id, false, bot.ErrBusy
	}
	start := time.Now()
	last := int(tx.Size()) / page
	for id < last {
		if time.Since(start) > lockSlice {
			return id, false, nil
		}
		info, err := tx.Page(id)
		if err != nil {
			return id, false, fmt.Errorf("erase: page %d: %w", id, err)
		}
		if info == nil {
			break
		}
		if info.Type != "free" {
			id += info.OverflowCount + 1
			continue
		}
		run := 1
		for id+run < last && run < len(blank)/page {
			more, err := tx.Page(id + run)
			if err != nil || more == nil || more.Type != "free" {
				break
			}
			run++
		}
		if _, err := f.WriteAt(blank[:run*page], int64(id)*int64(page)); err != nil {
			return id, false, fmt.Errorf("erase: %w", err)
		}
		id += run
	}
	info, err := f.Stat()
	if err != nil {
		return id, false, fmt.Errorf("erase: %w", err)
	}
	for off := tx.Size(); off < info.Size(); {
		n, err := f.WriteAt(blank[:min(int64(len(blank)), info.Size()-off)], off)
		if err != nil {
			return id, false, fmt.Errorf("erase: %w", err)
		}
		off += int64(n)
	}
	return id, true, nil
}

// Check reads the whole file and says what is wrong with it.
func (d *DB) Check(ctx context.Context) error {
	return d.view(ctx, check)
}

func check(tx *bolt.Tx) error {
	var all []error
	for err := range tx.Check() {
		all = append(all, err)
	}
	if len(all) > 0 {
		return fmt.Errorf("%w: %w", ErrDamaged, errors.Join(all...))
	}
	for _, name := range [][]byte{bTeams, bRounds, bAsked, bDue, bOpen, bShelf, bReceipts, bPosts, bPending, bPrompts, bHistory, bAudit, bErase} {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
		}
	}
	for _, name := range [][]byte{bShelf} { // a sequence would tell in what order replies came
		shelf := tx.Bucket(name)
		err := shelf.ForEachBucket(func(id []byte) error {
			if shelf.Bucket(id).Sequence() != 0 {
				return fmt.Errorf("%w: replies carry an order", ErrDamaged)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Verify checks a store file that no program has open. It may panic, fault or hang on a damaged file, as bbolt does: run
// it in a process of its own, with a deadline.
func Verify(root *os.Root, name string) error {
	b, err := bolt.Open(name, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second, OpenFile: root.OpenFile, PreLoadFreelist: true})
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer b.Close()
	return b.View(func(tx *bolt.Tx) error {
		if have, want := schemaOf(tx), uint64(len(upgrades())); have > want {
			return fmt.Errorf("schema %d, this program knows %d: %w", have, want, ErrNewer)
		} else if have < want {
			return fmt.Errorf("schema %d: no store of this program, or an older one", have)
		}
		return check(tx)
	})
}

// compactTo writes a compacted copy: live records only, no freed text (never a hot copy, which takes freed pages along).
func (d *DB) compactTo(dir *os.Root, name string) error {
	temp := name + ".part"
	if err := wipe(dir, temp); err != nil {
		return err
	}
	dst, err := bolt.Open(temp, 0o600, &bolt.Options{OpenFile: dir.OpenFile, Timeout: time.Second, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return err
	}
	err = bolt.Compact(dst, d.bolt, 1<<20)
	if err == nil {
		err = dst.View(check)
	}
	if err := errors.Join(err, dst.Sync(), dst.Close()); err != nil {
		return errors.Join(err, wipe(dir, temp))
	}
	if err := dir.Rename(temp, name); err != nil {
		return errors.Join(err, wipe(dir, temp))
	}
	return syncDir(dir)
}

// Backup writes a checked copy into a directory while the store is in use. It holds no key slot and no freed text. The
// name must be free.
func (d *DB) Backup(ctx context.Context, dir *os.Root, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := dir.Stat(name); err == nil {
		return fmt.Errorf("backup %s: %w", name, fs.ErrExist)
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if err := d.compactTo(dir, name); err != nil {
		return fmt.Errorf("backup %s: %w", name, err)
	}
	return nil
}

// Restore puts a backup in the place of a store that is not there. It never overwrites one.
func Restore(from *os.Root, backup string, root *os.Root, name string) error {
	if _, err := root.Stat(name); err == nil {
		return fmt.Errorf("restore: %s: %w", name, fs.ErrExist)
	}
	b, err := bolt.Open(backup, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second, OpenFile: from.OpenFile})
	if err != nil {
		return fmt.Errorf("restore: open backup: %w", err)
	}
	defer b.Close()
	d := &DB{bolt: b}
	if err := d.compactTo(root, name); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

// Compact shrinks the file: a compacted copy takes its place, and the old blocks are overwritten through a second name.
// Cut anywhere, one whole store stands under the store's name (S16).
func (d *DB) Compact(ctx context.Context) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.name + ".old"
	if err := wipe(d.root, old); err != nil {
		return err
	}
	if err := d.root.Link(d.name, old); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	if err := d.compactTo(d.root, d.name); err != nil {
		return errors.Join(fmt.Errorf("compact: %w", err), d.root.Remove(old))
	}
	if err := d.bolt.Close(); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	if err := d.open(); err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	return wipe(d.root, old)
}

// wipe overwrites and removes a file; one that is not there is fine.
func wipe(root *os.Root, name string) error {
	f, err := root.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wipe %s: %w", name, err)
	}
	err = func() error {
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return err
		}
		blank := make([]byte, 1<<20)
		for off := int64(0); off < info.Size(); {
			n, err := f.WriteAt(blank[:min(int64(len(blank)), info.Size()-off)], off)
			if err != nil {
				return err
			}
			off += int64(n)
		}
		return f.Sync()
	}()
	if err != nil {
		return fmt.Errorf("wipe %s: %w", name, err)
	}
	if err := root.Remove(name); err != nil {
		return fmt.Errorf("wipe %s: %w", name, err)
	}
	return syncDir(root)
}

func syncDir(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
