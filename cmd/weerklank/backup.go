package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/store"
)

// A backup's name tells when it was made, in UTC.
var isBackup = regexp.MustCompile(`^weerklank-([0-9]{8}T[0-9]{6}\.[0-9]{3}Z)\.db\.age$`)

const backupMoment = "20060102T150405.000Z"

func backupName(at time.Time) string { return "weerklank-" + at.UTC().Format(backupMoment) + ".db.age" }

// madeAt is the moment in a backup's name; false for what is no backup.
func madeAt(name string) (time.Time, bool) {
	m := isBackup.FindStringSubmatch(name)
	if m == nil {
		return time.Time{}, false
	}
	at, err := time.Parse(backupMoment, m[1])
	return at, err == nil
}

// newestBackup is the path of the newest backup in a directory and when it was made; none: "".
func newestBackup(dir string) (path string, at time.Time) {
	entries, _ := os.ReadDir(dir) // none, or not to be read: no backup that anybody could use
	for _, e := range entries {
		if made, ok := madeAt(e.Name()); ok && made.After(at) {
			path, at = filepath.Join(dir, e.Name()), made
		}
	}
	return path, at
}

func backupDir(c config) string {
	if c.Backup.Dir != "" {
		return c.Backup.Dir
	}
	return filepath.Join(c.DataDir, backupsDir)
}

// ---- configuration

// The limits of how long backups are kept, in days (TRUST 13).
const maxKeepBackups = 35

// checkBackup says what is wrong in [backup].
func (c config) checkBackup(e *env, wrong func(key, text string)) {
	var p *bot.Problem
	if strings.TrimSpace(c.Backup.Schedule) == "" {
		wrong("schedule", e.say("cli.config-schedule"))
	} else if _, err := bot.ParseCron("schedule", c.Backup.Schedule, time.UTC); errors.As(err, &p) {
		wrong(p.Field, e.say(p.Key, p.Pairs...))
	}
	if days, err := parseDays(c.Backup.Keep); err != nil || days < 1 || days > maxKeepBackups {
		wrong("keep", e.say("cli.config-keep-backups"))
	}
	bad := false
	for i, r := range c.Backup.Recipients { // what stands there is not said back: it may be a secret
		key := "cli.config-recipient"
		if strings.HasPrefix(strings.ToUpper(r), "AGE-SECRET-KEY-") {
			key = "cli.config-recipient-secret"
		} else if _, err := parseRecipient(r); err == nil {
			continue
		}
		bad = true
		wrong("recipients", e.say(key, "number", strconv.Itoa(i+1)))
	}
	if _, err := sealer(c.Backup.Recipients); !bad && err != nil && !errors.Is(err, errNoRecipient) {
		wrong("recipients", e.say("cli.config-recipients-mixed"))
	}
}

// keyCount is how many keys can open a backup.
func (c config) keyCount() int {
	all := slices.Clone(c.Backup.Recipients)
	slices.Sort(all)
	return len(slices.Compact(all))
}

var errNoRecipient = errors.New("no recipient is configured: a backup would not be encrypted")

// parseRecipient reads a public key of age, of the usual or the post-quantum kind.
func parseRecipient(s string) (age.Recipient, error) {
	if strings.HasPrefix(s, "age1pq1") {
		return age.ParseHybridRecipient(s)
	}
	return age.ParseX25519Recipient(s)
}

// sealer encrypts to recipients, each of which can open it alone.
func sealer(recipients []string) (func(io.Writer) (io.WriteCloser, error), error) {
	var all []age.Recipient
	for _, s := range recipients {
		r, err := parseRecipient(s)
		if err != nil {
			return nil, errors.New("a recipient is no public key of age")
		}
		all = append(all, r)
	}
	if len(all) == 0 {
		return nil, errNoRecipient
	}
	if _, err := age.Encrypt(io.Discard, all...); err != nil { // two kinds do not go together
		return nil, fmt.Errorf("recipients: %w", err)
	}
	return func(w io.Writer) (io.WriteCloser, error) { return age.Encrypt(w, all...) }, nil
}

// ---- making one

// backupOrder is what a backup is to be: for the program itself, or over the control socket.
type backupOrder struct {
	dir        string
	recipients []string
	keep       int // days after which older ones are removed from dir; 0: they stay
}

// order is the backup that the configuration asks for.
func (c config) order() (backupOrder, error) {
	keep, err := parseDays(c.Backup.Keep)
	return backupOrder{backupDir(c), c.Backup.Recipients, keep}, err
}

func (o backupOrder) values() url.Values {
	return url.Values{"dir": {o.dir}, "recipient": o.recipients, "keep": {strconv.Itoa(o.keep)}}
}

func orderOf(v url.Values) (o backupOrder, err error) {
	o.dir, o.recipients = v.Get("dir"), v["recipient"]
	o.keep, err = strconv.Atoi(v.Get("keep"))
	return o, err
}

// backup writes an encrypted, checked copy and returns its path and moment. Key slots are never in it, and their
// directory is not looked at. An error besides a path says that only the older ones could not be removed.
func backup(ctx context.Context, db *store.DB, o backupOrder) (path string, at time.Time, err error) {
	seal, err := sealer(o.recipients)
	if err != nil {
		return "", at, err
	}
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return "", at, err
	}
	root, err := os.OpenRoot(o.dir)
	if err != nil {
		return "", at, err
	}
	defer root.Close()
	at = time.Now().UTC().Truncate(time.Millisecond)
	name := backupName(at)
	if err = db.Backup(ctx, root, name, seal); err == nil {
		path = filepath.Join(o.dir, name)
	}
	if o.keep > 0 { // also after a failure: it may make room
		if rerr := rotate(root, at.AddDate(0, 0, -o.keep)); rerr != nil {
			err = errors.Join(err, fmt.Errorf("remove older backups: %w", rerr))
		}
	}
	return path, at, err
}

// rotate removes backups that were made before a moment, but never the newest one, and nothing else. They are
// encrypted: there is nothing to overwrite.
func rotate(dir *os.Root, before time.Time) error {
	entries, err := fs.ReadDir(dir.FS(), ".")
	if err != nil {
		return err
	}
	var newest time.Time
	for _, e := range entries {
		if at, ok := madeAt(e.Name()); ok && at.After(newest) {
			newest = at
		}
	}
	removed := false
	for _, e := range entries {
		at, ok := madeAt(e.Name())
		if !ok || !e.Type().IsRegular() || !at.Before(before) || at.Equal(newest) {
			continue
		}
		if err := dir.Remove(e.Name()); err != nil {
			return err
		}
		removed = true
	}
	if !removed {
		return nil
	}
	return syncDir(dir)
}

func cmdBackup(ctx context.Context, e *env, args []string) error {
	var dir string
	c, rest, err := storeFlags(e, "backup", args, func(fs *flag.FlagSet) { fs.StringVar(&dir, "dir", "", "") })
	if err != nil {
		return err
	}
	if len(rest) > 0 {
		return usageError{e.say("cli.too-many")}
	}
	o, err := c.order()
	if err != nil {
		return err
	}
	if dir != "" {
		o.dir, o.keep = dir, 0
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	if c.keyCount() == 0 {
		return hinted{errNoRecipient, e.say("cli.hint-recipients")}
	}
	var path string
	err = onStore(ctx, e, c, func() error {
		raw, err := call(ctx, c, http.MethodPost, "/backup?"+o.values().Encode(), nil)
		path = string(raw)
		return err
	}, func(db *store.DB) (err error) {
		path, _, err = backup(ctx, db, o)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, e.say("cli.backup-done", "file", path))
	fmt.Fprintln(e.stdout, e.say("cli.backup-keys"))
	if c.keyCount() == 1 {
		fmt.Fprintln(e.stdout, e.say("cli.backup-one-key"))
	}
	return nil
}

// ---- by the clock

// backups makes backups by themselves while the bot runs.
type backups struct {
	p     *parts
	cron  bot.Cron
	order backupOrder
}

// scheduleBackups prepares the backups that the configuration asks for. Without a recipient there are none, and the log
// says so once.
func (p *parts) scheduleBackups() error {
	cron, err := bot.ParseCron("schedule", p.c.Backup.Schedule, p.c.zone())
	if err != nil {
		return err
	}
	order, err := p.c.order()
	if err != nil {
		return err
	}
	_, at := newestBackup(order.dir)
	p.backedUp(at)
	switch p.c.keyCount() {
	case 0:
		p.log.Warn("there are no scheduled backups: backup.recipients is empty", "next", "on another machine run age-keygen -o key.txt, and put its public key (age1…) in [backup] recipients")
		return nil
	case 1:
		p.log.Info("one key can open the backups: a second one, kept elsewhere, is advised")
	}
	p.backups = &backups{p, cron, order}
	return nil
}

const (
	backupSoon  = 10 * time.Second // after a start that finds a backup missing
	backupRetry = time.Hour        // after one that failed
)

// firstBackup is when a program that starts now makes its first backup: at the schedule's next moment, or soon if one was
// missed and the newest is older than a day.
func firstBackup(cron bot.Cron, newest, now time.Time) time.Time {
	if now.Sub(newest) > 24*time.Hour && (newest.IsZero() || !cron.Next(newest).After(now)) {
		return now.Add(backupSoon)
	}
	return cron.Next(now)
}

// run makes backups until ctx ends. One that fails is tried again within an hour; the bot goes on.
func (b *backups) run(ctx context.Context) {
	_, newest := newestBackup(b.order.dir)
	due := firstBackup(b.cron, newest, time.Now())
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if now := time.Now(); !now.Before(due) {
			path, at, err := backup(ctx, b.p.db, b.order)
			if ctx.Err() != nil {
				return
			}
			due = b.cron.Next(time.Now())
			if path != "" {
				b.p.log.Info("backup written", "file", path)
				b.p.backedUp(at)
			} else if again := time.Now().Add(backupRetry); again.Before(due) {
				due = again
			}
			if err != nil {
				b.p.log.Error("backup", "written", path != "", "err", err)
			}
		}
		timer.Reset(min(max(time.Until(due), 0), time.Hour)) // a long timer is looked at again: clocks get set
	}
}

// backedUp notes when the last good backup was made.
func (p *parts) backedUp(at time.Time) {
	if !at.IsZero() {
		p.lastBackup.Store(at.Unix())
	}
}

// ---- opening one

// sealedFile says whether a file is meant to be an encrypted backup: by its name or by how it begins.
func sealedFile(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	const magic = "age-encryption.org/"
	head := make([]byte, len(magic))
	n, _ := io.ReadFull(f, head)
	return strings.HasSuffix(file, ".age") || string(head[:n]) == magic, nil
}

// readIdentities reads the secret keys of a key file; "-" is standard input.
func readIdentities(e *env, file string) ([]age.Identity, error) {
	var r io.Reader = e.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, hinted{fmt.Errorf("key file: %w", err), e.say("cli.hint-identity")}
		}
		defer f.Close()
		r = f
	}
	text := bufio.NewReader(r)
	head, _ := text.Peek(len("-----BEGIN AGE ENCRYPTED FILE-----")) // a short file has less
	if bytes.HasPrefix(head, []byte("age-encryption.org/")) || bytes.HasPrefix(head, []byte("-----BEGIN AGE ENCRYPTED")) {
		return nil, hinted{errors.New("key file: it is locked with a passphrase"), e.say("cli.hint-identity-locked")}
	}
	ids, err := age.ParseIdentities(text)
	if err != nil {
		return nil, hinted{fmt.Errorf("key file: %w", err), e.say("cli.hint-identity-file")}
	}
	return ids, nil
}

// openBackup gives the path of a backup that can be looked into. An encrypted one is opened into a file in the data
// directory, which done overwrites and removes, with every directory that was made for it.
func openBackup(ctx context.Context, e *env, c config, file, identity string) (path string, done func() error, err error) {
	sealed, err := sealedFile(file)
	if err != nil {
		return "", nil, hinted{fmt.Errorf("backup: %w", err), e.say("cli.restore-which")}
	}
	if !sealed {
		return file, func() error { return nil }, nil
	}
	if identity == "" {
		return "", nil, hinted{errors.New("backup: it is encrypted"), e.say("cli.hint-identity")}
	}
	if err := hardenProcess(); err != nil {
		return "", nil, fmt.Errorf("forbid memory dumps: %w", err)
	}
	ids, err := readIdentities(e, identity)
	if err != nil {
		return "", nil, err
	}
	in, err := os.Open(file)
	if err != nil {
		return "", nil, err
	}
	defer in.Close()
	plain, err := age.Decrypt(in, ids...)
	var other *age.NoIdentityMatchError
	switch {
	case errors.As(err, &other):
		return "", nil, hinted{errors.New("backup: this key does not open it"), e.say("cli.hint-identity-other")}
	case err != nil:
		return "", nil, hinted{fmt.Errorf("backup: %w: %w", store.ErrDamaged, err), e.say("cli.hint-restore-damaged")}
	}
	undo := missing(c.DataDir)
	root, err := openData(e, c.DataDir)
	if err != nil {
		return "", nil, errors.Join(err, undo())
	}
	out, name, wipe, err := store.Opened(root, c.storeName())
	if err != nil {
		return "", nil, errors.Join(err, root.Close(), undo())
	}
	done = func() error { return errors.Join(wipe(), root.Close(), undo()) }
	if _, err := io.Copy(out, untilDone{ctx, plain}); err != nil {
		if err := errors.Join(ctx.Err(), done()); err != nil {
			return "", nil, err
		}
		var disk *fs.PathError
		if errors.As(err, &disk) { // the place it is opened into, or the disk it is read from
			return "", nil, fmt.Errorf("open the backup: %w", err)
		}
		return "", nil, hinted{fmt.Errorf("backup: %w: %w", store.ErrDamaged, err), e.say("cli.hint-restore-damaged")}
	}
	return filepath.Join(c.DataDir, name), done, nil
}

// missing remembers which directories of a path are not there, and undo removes those again that are empty.
func missing(dir string) (undo func() error) {
	var made []string
	for dir = filepath.Clean(dir); ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			break
		}
		made = append(made, dir)
	}
	return func() error {
		for _, d := range made {
			if entries, err := os.ReadDir(d); err != nil || len(entries) > 0 {
				break // something is in it now, or it was never made
			}
			if err := os.Remove(d); err != nil {
				return err
			}
		}
		return nil
	}
}

// untilDone reads until ctx ends.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

func cmdRestore(ctx context.Context, e *env, args []string) error {
	var identity string
	c, rest, err := storeFlags(e, "restore", args, func(fs *flag.FlagSet) { fs.StringVar(&identity, "identity", "", "") })
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return usageError{e.say("cli.restore-which")}
	}
	target := filepath.Join(c.DataDir, c.storeName())
	if _, err := os.Stat(target); err == nil {
		return hinted{fmt.Errorf("there is a store in %s already", c.DataDir), e.say("cli.hint-restore-exists", "file", target)}
	}
	file, done, err := openBackup(ctx, e, c, rest[0], identity)
	if err != nil {
		return err
	}
	if err := errors.Join(restoreFrom(ctx, e, c, file), done()); err != nil {
		return err
	}
	fmt.Fprintln(e.stdout, e.say("cli.restore-done", "dir", c.DataDir))
	return nil
}

// restoreFrom puts an open backup in the place of a store that is not there.
func restoreFrom(ctx context.Context, e *env, c config, file string) error {
	if err := verifyApart(ctx, file); err != nil {
		return explain(e, err, e.say("cli.hint-locked-no-socket"), e.say("cli.hint-restore-damaged"))
	}
	root, err := openData(e, c.DataDir)
	if err != nil {
		return err
	}
	defer root.Close()
	from, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer from.Close()
	if err := store.Restore(from, filepath.Base(file), root, c.storeName()); err != nil {
		return err
	}
	if err := verifyApart(ctx, filepath.Join(c.DataDir, c.storeName())); err != nil {
		return explain(e, err, e.say("cli.hint-locked"), e.say("cli.hint-restore-damaged"))
	}
	return nil
}

// verifyBackup checks a backup, which is opened for it if it is encrypted.
func verifyBackup(ctx context.Context, e *env, c config, backup, identity string) error {
	file, done, err := openBackup(ctx, e, c, backup, identity)
	if err != nil {
		return err
	}
	if err := errors.Join(verifyApart(ctx, file), done()); err != nil {
		return explain(e, err, e.say("cli.hint-locked-no-socket"), e.say("cli.hint-restore-damaged"))
	}
	fmt.Fprintln(e.stdout, e.say("cli.verify-ok", "file", backup))
	return nil
}

// backupLine says when the last good backup was made.
func backupLine(e *env, c config) string {
	path, at := newestBackup(backupDir(c))
	if path == "" {
		return e.say("cli.status-no-backup", "dir", backupDir(c))
	}
	return e.say("cli.status-backup", "moment", locale.Moment(e.lang, at.In(c.zone())), "file", path)
}
