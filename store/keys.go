package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"sync"

	"github.com/weerklank/weerklank/bot"
)

// slotSize is the size of every slot's file: one block, overwritten in place when it is destroyed.
const slotSize = 4096

var slotName = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}\.[a-z]{1,16}$`)

// Keys is a bot.Keys of plain files in a directory of its own, outside the store and every backup (TRUST 2.2).
type Keys struct {
	root   *os.Root
	making sync.Mutex

	mu   sync.Mutex // one sync at a time, shared by all who wait for it
	wait []settling
	busy bool
}

var _ bot.Keys = (*Keys)(nil)

// OpenKeys uses the directory root for key slots.
func OpenKeys(root *os.Root) *Keys { return &Keys{root: root} }

// Create implements bot.Keys.
func (k *Keys) Create(ctx context.Context, slots ...bot.KeySlot) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var made []string
	var files []*os.File
	for _, s := range slots {
		f, err := k.create(s)
		if err != nil {
			for _, f := range files {
				f.Close()
			}
			return errors.Join(err, k.Destroy(context.WithoutCancel(ctx), made...))
		}
		made, files = append(made, s.Name), append(files, f)
	}
	if err := k.settle(files); err != nil {
		return errors.Join(err, k.Destroy(context.WithoutCancel(ctx), made...))
	}
	return nil
}

// create writes a slot's file, which settle makes durable.
func (k *Keys) create(s bot.KeySlot) (*os.File, error) {
	if !slotName.MatchString(s.Name) || len(s.Key) > 256 {
		return nil, fmt.Errorf("key slot: bad name or size")
	}
	k.making.Lock() // the directory takes one at a time anyway, and waiting for it costs a core
	defer k.making.Unlock()
	f, err := k.root.OpenFile(s.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("key slot: %w", bot.ErrExists)
	}
	if err != nil {
		return nil, slotError(err)
	}
	block := make([]byte, slotSize)
	binary.BigEndian.PutUint16(block, uint16(len(s.Key)))
	copy(block[2:], s.Key)
	_, err = f.WriteAt(block, 0)
	clear(block)
	if err != nil {
		return nil, slotError(errors.Join(err, f.Close(), k.root.Remove(s.Name)))
	}
	return f, nil
}

func slotError(err error) error {
	if full(err) {
		return fmt.Errorf("key slot: %w: %w", bot.ErrFull, err)
	}
	return fmt.Errorf("key slot: %w", err)
}

// settling is what one caller wants made durable: files, which are closed, and the names in the directory.
type settling struct {
	files []*os.File
	done  chan error
}

// settle makes files and names durable. Callers that come while one settles share the next time.
func (k *Keys) settle(files []*os.File) error {
	mine := settling{files, make(chan error, 1)}
	k.mu.Lock()
	k.wait = append(k.wait, mine)
	if !k.busy {
		k.busy = true
		for len(k.wait) > 0 {
			waiting := k.wait
			k.wait = nil
			k.mu.Unlock()
			k.settleAll(waiting)
			k.mu.Lock()
		}
		k.busy = false
	}
	k.mu.Unlock()
	if err := <-mine.done; err != nil {
		return slotError(err)
	}
	return nil
}

// manySlots is from how many files on one sync of the whole file system costs less than one for each.
const manySlots = 8

func (k *Keys) settleAll(waiting []settling) {
	var files []*os.File
	for _, w := range waiting {
		files = append(files, w.files...)
	}
	var err error
	synced := len(files) >= manySlots && syncFileSystem(files[0]) == nil
	for _, f := range files {
		if !synced {
			err = errors.Join(err, f.Sync())
		}
		err = errors.Join(err, f.Close())
	}
	err = errors.Join(err, syncDir(k.root))
	for _, w := range waiting {
		w.done <- err
	}
}

// Open implements bot.Keys.
func (k *Keys) Open(ctx context.Context, name string) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !slotName.MatchString(name) {
		return nil, bot.ErrNotFound
	}
	block, err := k.root.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, bot.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("key slot: %w", err)
	}
	if len(block) != slotSize {
		return nil, fmt.Errorf("key slot: %w", bot.ErrNotFound) // cut short: the key is gone
	}
	n := int(binary.BigEndian.Uint16(block))
	if n == 0 || n > 256 {
		return nil, fmt.Errorf("key slot: %w", bot.ErrNotFound) // destroyed, but for its name
	}
	return slices.Clone(block[2 : 2+n]), nil
}

// Destroy implements bot.Keys: overwritten in place, then unlinked.
func (k *Keys) Destroy(ctx context.Context, names ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	gone := 0
	for _, name := range names {
		if !slotName.MatchString(name) {
			continue
		}
		f, err := k.root.OpenFile(name, os.O_WRONLY, 0)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("destroy key slot: %w", err)
		}
		_, err = f.WriteAt(make([]byte, slotSize), 0)
		err = errors.Join(err, f.Sync(), f.Close())
		if err == nil { // a name whose key may still be on the disk stays, so that it is tried again
			err = k.root.Remove(name)
		}
		if err != nil {
			return fmt.Errorf("destroy key slot: %w", err)
		}
		gone++
	}
	if gone == 0 {
		return nil
	}
	return k.settle(nil)
}

// Slots implements bot.Keys.
func (k *Keys) Slots(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(k.root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("key slots: %w", err)
	}
	var names []string
	for _, e := range entries {
		if slotName.MatchString(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}
