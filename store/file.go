package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterr "go.etcd.io/bbolt/errors"

	"github.com/weerklank/weerklank/bot"
)

// lockSlice is how long erasing holds the writer lock at a time.
const lockSlice = 20 * time.Millisecond

// Erase implements bot.Shelf: it overwrites every free page and the tail of the file, in place (TRUST 2.4). Deleting is
// not erasing: bbolt leaves freed pages as they were.
func (d *DB) Erase(ctx context.Context) error {
	marked := map[string][]byte{}
	err := d.view(ctx, func(tx *bolt.Tx) error {
		return tx.Bucket(bErase).ForEach(func(id, mark []byte) error { marked[string(id)] = slices.Clone(mark); return nil })
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
	d.o.step("zeroed")
	return d.update(ctx, func(tx *bolt.Tx) error {
		marks := tx.Bucket(bErase)
		for id, mark := range marked {
			if !bytes.Equal(marks.Get([]byte(id)), mark) { // set again meanwhile, for pages that were freed meanwhile
				continue
			}
			if err := marks.Delete([]byte(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

// markErase says that freed pages wait to be overwritten. No two marks are equal.
func markErase(tx *bolt.Tx, id []byte) error {
	marks := tx.Bucket(bErase)
	n, err := marks.NextSequence()
	if err != nil {
		return err
	}
	return marks.Put(id, binary.BigEndian.AppendUint64(nil, n))
}

// zeroFree writes through bbolt's own descriptor, so that it can only ever hit the file that bbolt has open.
func (d *DB) zeroFree(ctx context.Context) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.Replaced() {
		return fmt.Errorf("erase: %w", ErrReplaced)
	}
	blank := make([]byte, 64*d.page)
	for id, done := 2, false; !done; {
		if err := ctx.Err(); err != nil {
			return err
		}
		tx, err := d.bolt.Begin(true)
		if err != nil {
			return fmt.Errorf("erase: %w", err)
		}
		id, done, err = zeroSome(tx, d.file, d.bolt, id, d.page, blank)
		if err := errors.Join(err, tx.Rollback()); err != nil {
			return err
		}
	}
	// The kernel tells a failed sync once: bbolt, which shares the descriptor, would never hear of it.
	if err := d.file.Sync(); err != nil {
		return d.breakOff(err)
	}
	return nil
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

// Check reads the whole file and says what is wrong with it. Writers wait: bbolt looks at its list of free pages without
// a lock, and a change of it meanwhile would pass for damage or end the process.
func (d *DB) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	nobody, err := d.bolt.Begin(true)
	if err != nil {
		return err
	}
	defer nobody.Rollback() // it wrote nothing
	return d.bolt.View(check)
}

// check reads every page, and looks for what this program's schema needs.
func check(tx *bolt.Tx) error {
	if err := checkPages(tx); err != nil {
		return err
	}
	for _, name := range [][]byte{bTeams, bRounds, bAsked, bDue, bOpen, bShelf, bReceipts, bPosts, bPending, bOwn, bPast, bUsed, bAudit, bErase} {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: bucket %s is missing", ErrDamaged, name)
		}
	}
	return checkRecords(tx)
}

// checkRecords looks whether what stands in the pages can be read: they carry no checksums of their own.
func checkRecords(tx *bolt.Tx) error {
	record := func(_, v []byte) bool { return json.Valid(v) }
	for _, bucket := range []struct {
		name []byte
		good func(k, v []byte) bool
	}{
		{bTeams, record}, {bRounds, record}, {bPosts, record}, {bOwn, record}, {bPast, record}, {bAudit, record},
		{bDue, func(k, _ []byte) bool { return len(k) > 9 && (k[8] == 'r' || k[8] == 't') }},
		{bPending, func(k, _ []byte) bool { return len(k) == 16 }},
		{bReceipts, func(k, v []byte) bool { return len(k) == 32 && bytes.IndexByte(v, 0) > 0 }},
	} {
		err := tx.Bucket(bucket.name).ForEach(func(k, v []byte) error {
			if !bucket.good(k, v) {
				return fmt.Errorf("%w: a record in bucket %s cannot be read", ErrDamaged, bucket.name)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// unsaid keeps what stands in a file out of what is said of its damage.
type unsaid struct{}

// KeyToString implements bolt.KVStringer.
func (unsaid) KeyToString([]byte) string { return "…" }

// ValueToString implements bolt.KVStringer.
func (unsaid) ValueToString([]byte) string { return "…" }

// checkHeaders looks whether every page says its own number and ends within the file. One that is said to be enormous
// keeps the database library busy for longer than anybody waits.
func checkHeaders(tx *bolt.Tx) error {
	last := int(tx.Size()) / tx.DB().Info().PageSize
	for id := 0; id < last; {
		p, err := tx.Page(id)
		switch {
		case err != nil:
			return err
		case p == nil:
			return nil
		case p.Type == "free":
			id++
			continue
		case p.ID != id || p.OverflowCount >= last-id:
			return fmt.Errorf("%w: page %d cannot be what it says", ErrDamaged, id)
		}
		id += p.OverflowCount + 1
	}
	return nil
}

// enoughErrors is how many errors of a file's pages are told: one wrong number can make thousands.
const enoughErrors = 16

func checkPages(tx *bolt.Tx) error {
	if err := checkHeaders(tx); err != nil {
		return err
	}
	var all []error
	for err := range tx.Check(bolt.WithKVStringer(unsaid{})) {
		if len(all) < enoughErrors {
			all = append(all, err)
		}
	}
	if len(all) > 0 {
		return fmt.Errorf("%w: %w", ErrDamaged, errors.Join(all...))
	}
	shelf := tx.Bucket(bShelf)
	if shelf == nil {
		return nil
	}
	return shelf.ForEachBucket(func(id []byte) error {
		if shelf.Bucket(id).Sequence() != 0 { // it would tell in what order replies came
			return fmt.Errorf("%w: replies carry an order", ErrDamaged)
		}
		return nil
	})
}

// Verify checks a store file that no program has open. A file of an older schema is fine: opening or restoring it
// upgrades it. It may panic, fault or hang on a damaged file, as bbolt does: run it in a process of its own, with a
// deadline. Errors: ErrLocked, ErrNewer, ErrDamaged.
func Verify(root *os.Root, name string) error { return verify(root, name, Options{}.filled()) }

func verify(root *os.Root, name string, o Options) error {
	b, err := openToRead(root, name, 3*time.Second)
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer b.Close()
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	size, err := io.Copy(io.Discard, f) // in one go: checking jumps about, which a slow disk takes too long for
	if err != nil {
		return err
	}
	return b.View(func(tx *bolt.Tx) error {
		have, want := schemaOf(tx), uint64(len(o.upgrades))
		switch {
		case tx.Size() > size:
			return fmt.Errorf("%w: its end is missing", ErrDamaged)
		case have > want:
			return fmt.Errorf("schema %d, this program knows %d: %w", have, want, ErrNewer)
		case have == 0:
			return fmt.Errorf("%w: it is no store of this program", ErrDamaged)
		case have < want:
			return checkPages(tx)
		}
		return check(tx)
	})
}

func openToRead(root *os.Root, name string, wait time.Duration) (*bolt.DB, error) {
	b, err := bolt.Open(name, 0o600, &bolt.Options{ReadOnly: true, Timeout: wait, PreLoadFreelist: true,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			f, err := root.OpenFile(name, flag, mode)
			if err != nil {
				return nil, err
			}
			if err := notEmpty(f); err != nil {
				return nil, errors.Join(err, f.Close())
			}
			return f, nil
		}})
	if errors.Is(err, bolterr.ErrTimeout) {
		return nil, ErrLocked
	}
	return b, err
}

// notEmpty refuses a file that lost everything: bbolt would make a new database of it.
func notEmpty(f *os.File) error {
	info, err := f.Stat()
	if err == nil && info.Size() == 0 {
		err = fmt.Errorf("%w: it is empty", ErrDamaged)
	}
	return err
}

// copyTo writes a compacted copy under a temporary name: live records only, no freed text (never a hot copy, which takes
// freed pages along). The copy is checked by good, synced and closed. Until then a cut leaves nothing that counts, so that its
// commits need no sync of their own: whoever reads src, or waits for it, is done sooner.
func copyTo(ctx context.Context, src *bolt.DB, dir *os.Root, temp string, good func(*bolt.Tx) error, step func(string)) error {
	dst, err := bolt.Open(temp, 0o600, &bolt.Options{OpenFile: dir.OpenFile, Timeout: time.Second, FreelistType: bolt.FreelistMapType, NoSync: true})
	if err != nil {
		return err
	}
	step("begun")
	err = src.View(func(tx *bolt.Tx) error { return copyAll(ctx, dst, tx, step) })
	if err == nil {
		err = dst.View(good)
	}
	err = errors.Join(err, dst.Sync(), dst.Close())
	step("copied")
	return err
}

// copyBatch is how much of a copy is written in one transaction.
const copyBatch = 1 << 20

// copyAll copies every bucket, with its sequence, in transactions of about a megabyte. bbolt's own Compact cannot be
// stopped on the way.
func copyAll(ctx context.Context, dst *bolt.DB, src *bolt.Tx, step func(string)) error {
	to, err := dst.Begin(true)
	if err != nil {
		return err
	}
	defer func() { to.Rollback() }() // after a commit it does nothing
	size, commits := 0, 0
	into := func(path [][]byte) *bolt.Bucket {
		b := to.Bucket(path[0])
		for _, name := range path[1:] {
			b = b.Bucket(name)
		}
		b.FillPercent = 1 // keys come in their order
		return b
	}
	var walk func(path [][]byte, from *bolt.Bucket) error
	walk = func(path [][]byte, from *bolt.Bucket) error {
		target := into(path)
		if err := target.SetSequence(from.Sequence()); err != nil {
			return err
		}
		return from.ForEach(func(k, v []byte) error {
			if size > copyBatch {
				if err := errors.Join(ctx.Err(), to.Commit()); err != nil {
					return err
				}
				if commits++; commits%(syncEvery/copyBatch) == 0 {
					if err := dst.Sync(); err != nil {
						return err
					}
				}
				step("copying")
				size = 0
				next, err := dst.Begin(true)
				if err != nil {
					return err
				}
				to = next
				target = into(path)
			}
			size += len(k) + len(v)
			if v != nil {
				return target.Put(k, v)
			}
			if _, err := target.CreateBucket(k); err != nil {
				return err
			}
			if err := walk(append(slices.Clone(path), k), from.Bucket(k)); err != nil {
				return err
			}
			target = into(path) // the child may have begun another transaction
			return nil
		})
	}
	err = src.ForEach(func(name []byte, b *bolt.Bucket) error {
		if _, err := to.CreateBucket(name); err != nil {
			return err
		}
		return walk([][]byte{name}, b)
	})
	if err != nil {
		return err
	}
	return errors.Join(ctx.Err(), to.Commit())
}

// publish gives a whole file its name, which must be free: fs.ErrExist.
func publish(dir *os.Root, temp, name string, step func(string)) error {
	err := dir.Link(temp, name)
	switch {
	case err == nil:
		step("published")
		err = dir.Remove(temp)
	case errors.Is(err, fs.ErrExist):
	default: // a file system without hard links
		if _, serr := dir.Stat(name); serr == nil {
			return fmt.Errorf("%s: %w", name, fs.ErrExist)
		}
		err = dir.Rename(temp, name)
	}
	if err != nil {
		return err
	}
	return syncDir(dir)
}

// Backup writes a sealed, checked copy into a directory while the store is in use. It holds no key slot and no freed
// text, and stands under its name only when it is whole, sealed and durable. The name must be free: fs.ErrExist. The open
// copy that is sealed stands beside the store for that long and is overwritten; a killed process leaves that to the next
// start or the next backup. What earlier backups left half in the directory is overwritten and removed: files whose name
// has the same beginning, up to the first hyphen, ends in .part, and that nobody is writing.
func (d *DB) Backup(ctx context.Context, dir *os.Root, name string, seal func(io.Writer) (io.WriteCloser, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.backups.Lock()
	defer d.backups.Unlock()
	if d.broken.Load() {
		return ErrBroken
	}
	if err := d.backup(ctx, dir, name, seal); err != nil {
		return fmt.Errorf("backup %s: %w", name, err)
	}
	return nil
}

func (d *DB) backup(ctx context.Context, dir *os.Root, name string, seal func(io.Writer) (io.WriteCloser, error)) error {
	if _, err := dir.Stat(name); err == nil {
		return fs.ErrExist
	}
	kin := name
	if stem, _, ok := strings.Cut(name, "-"); ok {
		kin = stem + "-"
	}
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() && strings.HasPrefix(e.Name(), kin) && strings.HasSuffix(e.Name(), ".part") {
			if err := wipe(dir, e.Name(), *d.ours.Load(), d.o.step); err != nil {
				return err
			}
		}
	}
	open, sealed := d.name+".backup", name+".part"
	if err := d.wipe(open); err != nil {
		return err
	}
	err = func() error {
		d.mu.RLock()
		defer d.mu.RUnlock()
		return copyTo(ctx, d.bolt, d.root, open, check, d.o.step) // as a restore will look at it
	}()
	if err == nil {
		err = sealTo(ctx, d.root, open, dir, sealed, seal)
		d.o.step("sealed")
	}
	if err == nil {
		err = publish(dir, sealed, name, d.o.step)
	}
	if err != nil {
		err = errors.Join(err, wipe(dir, sealed, nil, d.o.step))
	}
	return errors.Join(err, d.wipe(open))
}

// sealTo writes a file sealed under another name, durably.
func sealTo(ctx context.Context, from *os.Root, open string, to *os.Root, sealed string, seal func(io.Writer) (io.WriteCloser, error)) error {
	in, err := from.Open(open)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := to.OpenFile(sealed, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer out.Close() // closed twice does no harm
	if err := syscall.Flock(int(out.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil && !errors.Is(err, syscall.ENOTSUP) && !errors.Is(err, syscall.ENOLCK) {
		return err
	}
	w, err := seal(out)
	if err != nil {
		return err
	}
	for {
		_, err := io.CopyN(w, in, syncEvery)
		if errors.Is(err, io.EOF) {
			break
		}
		if err := errors.Join(err, ctx.Err(), out.Sync()); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), out.Sync(), out.Close())
}

// syncEvery is how much is written to a large file before it is synced: one sync of it all would hold up everybody else
// who syncs on the same disk.
const syncEvery = 8 << 20

// Restore puts a backup in the place of a store that is not there. It never overwrites one. The restored store says
// nothing that the backup still meant to say, since that was most likely said after the backup was made; Restored tells
// the bot to plan anew (TRUST 13.3).
func Restore(from *os.Root, backup string, root *os.Root, name string) error {
	if err := restore(from, backup, root, name, Options{}.filled(), time.Now()); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	return nil
}

func restore(from *os.Root, backup string, root *os.Root, name string, o Options, now time.Time) error {
	if _, err := root.Stat(name); err == nil {
		return fmt.Errorf("%s: %w", name, fs.ErrExist)
	}
	b, err := openToRead(from, backup, time.Second)
	if err != nil {
		return fmt.Errorf("open backup: %w", err)
	}
	defer b.Close()
	d := &DB{root: root, name: name, o: o}
	temp := name + ".part"
	if err := wipe(root, temp, nil, d.o.step); err != nil {
		return err
	}
	err = func() error {
		if err := copyTo(context.Background(), b, root, temp, checkPages, d.o.step); err != nil {
			return err
		}
		restored, _, _, err := attach(root, temp, false, d.o, time.Now().Add(time.Second))
		if err != nil {
			return err
		}
		err = restored.Update(func(tx *bolt.Tx) error {
			have, want := schemaOf(tx), uint64(len(d.o.upgrades))
			if have > want {
				return fmt.Errorf("schema %d, this program knows %d: %w", have, want, ErrNewer)
			}
			if err := d.climb(tx, have); err != nil {
				return err
			}
			return quiet(tx, now)
		})
		if err == nil {
			err = restored.View(check)
		}
		return errors.Join(err, restored.Sync(), restored.Close())
	}()
	if err == nil {
		err = publish(root, temp, name, d.o.step)
	}
	if err != nil {
		return errors.Join(err, wipe(root, temp, nil, d.o.step))
	}
	return nil
}

// quiet ends what a restored store was in the middle of. Nothing is posted again, no round waits for something that
// will not come, and the mark tells the bot. Rounds that are open or closing are left to the bot, which has the keys.
func quiet(tx *bolt.Tx, now time.Time) error {
	var unsent []row
	err := tx.Bucket(bPosts).ForEach(func(_, raw []byte) error {
		var r row
		if err := json.Unmarshal(raw, &r); err != nil {
			return fmt.Errorf("read post: %w", err)
		}
		if r.waits() || r.State == bot.PostUncertain { // a manager's late answer must not send it either
			unsent = append(unsent, r)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range unsent {
		if r.waits() {
			if err := tx.Bucket(bPending).Delete(r.key()); err != nil {
				return err
			}
		}
		r.State, r.Message, r.To = bot.PostFailed, bot.Message{}, ""
		if err := put(tx.Bucket(bPosts), string(r.ID), r); err != nil {
			return err
		}
	}
	var closed []bot.RoundID
	err = tx.Bucket(bRounds).ForEach(func(id, raw []byte) error {
		var r bot.Round
		if err := json.Unmarshal(raw, &r); err != nil {
			return fmt.Errorf("read round: %w", err)
		}
		if r.State == bot.RoundClosed {
			closed = append(closed, bot.RoundID(id))
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, id := range closed {
		if err := clearShelf(tx, id); err != nil {
			return err
		}
		err := editRound(tx, id, func(r *bot.Round, t *bot.Team) (bot.Also, error) {
			r.State, r.Tally, r.Keep = bot.RoundLost, nil, time.Time{}
			if t.Open == r.ID {
				t.Open = ""
			}
			return bot.Also{}, nil
		})
		if err != nil {
			return err
		}
	}
	if err := markErase(tx, kRestore); err != nil { // what was taken away still stands in freed pages
		return err
	}
	return tx.Bucket(bMeta).Put(kRestored, stamp(now))
}

// Restored returns when this store was put back from a backup; zero if it was not, or the bot has acted on it.
func (d *DB) Restored(ctx context.Context) (at time.Time, err error) {
	err = d.view(ctx, func(tx *bolt.Tx) error {
		if raw := tx.Bucket(bMeta).Get(kRestored); len(raw) == 8 {
			at = unstamp(raw)
		}
		return nil
	})
	return at, err
}

// ForgetRestored says that the bot has acted on Restored.
func (d *DB) ForgetRestored(ctx context.Context) error {
	return d.update(ctx, func(tx *bolt.Tx) error { return tx.Bucket(bMeta).Delete(kRestored) })
}

// Compact shrinks the file: a compacted copy takes its place, and the old blocks are overwritten through a second name.
// Cut anywhere, one whole store stands under the store's name, and the next start clears away the rest (S16).
func (d *DB) Compact(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.backups.Lock() // whoever waits for d.mu lets nobody else in: not while a backup reads
	defer d.backups.Unlock()
	swapped, err := func() (bool, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.broken.Load() {
			return false, ErrBroken
		}
		return d.swap(ctx)
	}()
	if swapped { // nobody waits for this any more
		err = errors.Join(err, d.wipe(d.name+".old"))
	}
	if err != nil {
		return fmt.Errorf("compact: %w", err)
	}
	return nil
}

// swap leaves the old file under its second name.
func (d *DB) swap(ctx context.Context) (swapped bool, err error) {
	part, old := d.name+".part", d.name+".old"
	if err := errors.Join(d.wipe(part), d.wipe(old)); err != nil {
		return false, err
	}
	if err := copyTo(ctx, d.bolt, d.root, part, checkPages, d.o.step); err != nil {
		return false, errors.Join(err, d.wipe(part))
	}
	// Locked before it gets the store's name: at no moment can another process take the store.
	next, f, info, err := attach(d.root, part, false, d.o, time.Now().Add(d.o.Timeout))
	if err != nil {
		return false, errors.Join(err, d.wipe(part))
	}
	mine := *d.ours.Load()
	err = d.secondName(old)
	d.o.step("linked")
	if err == nil {
		d.ours.Store(&[]fs.FileInfo{mine[0], info})
		err = d.root.Rename(part, d.name)
	}
	if err != nil {
		d.ours.Store(&mine)
		if rerr := d.root.Remove(old); !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
		return false, errors.Join(err, next.Close(), d.wipe(part))
	}
	d.o.step("renamed")
	if err := syncDir(d.root); err != nil { // after a power cut, either of the two may bear the name
		return false, errors.Join(d.breakOff(err), next.Close())
	}
	d.o.step("durable")
	was := d.bolt
	d.bolt, d.file, d.page = next, f, next.Info().PageSize
	d.ours.Store(&[]fs.FileInfo{info})
	err = was.Close()
	d.o.step("swapped")
	return true, err
}

// secondName gives the open file, and no other, a second name.
func (d *DB) secondName(old string) error {
	if err := d.root.Link(d.name, old); err != nil {
		return err
	}
	info, err := d.root.Stat(old)
	if err == nil && !os.SameFile(info, (*d.ours.Load())[0]) {
		err = ErrReplaced
	}
	return err
}

// What a kill can leave beside a store, by what follows its name and a dot.
var (
	isHalf   = regexp.MustCompile(`^(new|new-[0-9a-z]+|old|part|backup|opened-[0-9a-z]+\.part|schema-[0-9]+\.part)$`) // of no use to anyone
	isOpened = regexp.MustCompile(`^opened-[0-9a-z]+\.part$`)
	isCopy   = regexp.MustCompile(`^schema-[0-9]+$`) // made before an upgrade
)

// sweep overwrites and removes what was left beside the store. The caller has the store's lock.
func (d *DB) sweep(what *regexp.Regexp) error {
	entries, err := fs.ReadDir(d.root.FS(), ".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), d.name+"."); ok && e.Type().IsRegular() && what.MatchString(rest) {
			if err := d.wipe(e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *DB) wipe(name string) error { return wipe(d.root, name, *d.ours.Load(), d.o.step) }

// Opened makes an empty file beside a store, for what must not stay, such as a backup that is opened to look into it. done
// overwrites and removes it. What a killed process left of one is cleared away by the next start and by the next Opened.
func Opened(root *os.Root, store string) (f *os.File, name string, done func() error, err error) {
	none := func(string) {}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, "", nil, err
	}
	for _, e := range entries {
		if rest, ok := strings.CutPrefix(e.Name(), store+"."); ok && e.Type().IsRegular() && isOpened.MatchString(rest) {
			if err := wipe(root, e.Name(), nil, none); err != nil {
				return nil, "", nil, err
			}
		}
	}
	name = store + ".opened-" + strconv.FormatUint(rand.Uint64(), 36) + ".part"
	if f, err = root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return nil, "", nil, err
	}
	// Shared with whoever looks into it, and kept from whoever clears away left-overs.
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB); err != nil {
		return nil, "", nil, errors.Join(err, f.Close(), root.Remove(name))
	}
	return f, name, func() error { return errors.Join(f.Close(), wipe(root, name, nil, none)) }, nil
}

// wipe overwrites and removes a file; one that is not there is fine. A second name of the live store is only taken away,
// and half a file that another process is still writing is left to it.
func wipe(root *os.Root, name string, live []fs.FileInfo, step func(string)) error {
	f, err := root.OpenFile(name, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("wipe %s: %w", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("wipe %s: %w", name, err)
	}
	if !slices.ContainsFunc(live, func(our fs.FileInfo) bool { return os.SameFile(our, info) }) {
		if strings.HasSuffix(name, ".part") && errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK) {
			return nil
		}
		step("wiping " + name)
		if err := blank(f, info.Size()); err != nil {
			return fmt.Errorf("wipe %s: %w", name, err)
		}
		step("wiped " + name)
	}
	if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // another start may clear it away, too
		return fmt.Errorf("wipe %s: %w", name, err)
	}
	return syncDir(root)
}

func blank(f *os.File, size int64) error {
	zeros := make([]byte, 1<<20)
	for off := int64(0); off < size; {
		n, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-off)], off)
		if err != nil {
			return err
		}
		if off += int64(n); off%syncEvery == 0 {
			if err := f.Sync(); err != nil {
				return err
			}
		}
	}
	return f.Sync()
}

func syncDir(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Sync()
}
