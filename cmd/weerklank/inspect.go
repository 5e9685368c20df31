package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weerklank/weerklank/store"
)

// inspectChild is the hidden command that looks through a store's file and key folder in a process of its own.
const inspectChild = "-inspect-only-this"

// settleTime is how long after a first look at a running bot's files a second one is taken: what was just being done is
// done by then.
const settleTime = 2 * time.Second

// inspect looks through the files of a running bot, twice if it must: only what is found both times counts.
func (p *parts) inspect(ctx context.Context) ([]store.Finding, error) {
	first, err := p.db.Inspect(ctx, p.keys, time.Now())
	if err != nil || len(first) == 0 {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(settleTime):
	}
	again, err := p.db.Inspect(ctx, p.keys, time.Now())
	return slices.DeleteFunc(again, func(f store.Finding) bool {
		return !slices.ContainsFunc(first, func(old store.Finding) bool { return old.Kind == f.Kind })
	}), err
}

// inspectApart looks through the files of a bot that does not run, in a child process with a deadline.
func inspectApart(ctx context.Context, c config) (found []store.Finding, err error) {
	file := filepath.Join(c.DataDir, c.storeName())
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, deadlineOf(info.Size()))
	defer cancel()
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var out, said bytes.Buffer
	cmd := exec.CommandContext(ctx, self, "verify", inspectChild, file, filepath.Join(c.DataDir, keysDir))
	cmd.Stdout, cmd.Stderr = &out, &said
	cmd.Env = append(os.Environ(), "GOTRACEBACK=none")
	if err := cmd.Run(); err != nil {
		text, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return nil, fmt.Errorf("look through %s: %w: %s", filepath.Base(file), err, strings.TrimPrefix(text, "weerklank verify: "))
	}
	return found, json.Unmarshal(out.Bytes(), &found)
}

// inspectAlone is what the child does. A data directory without a key folder never had a round.
func inspectAlone(e *env, file, keys string) error {
	root, err := os.OpenRoot(filepath.Dir(file))
	if err != nil {
		return err
	}
	defer root.Close()
	keyRoot, err := os.OpenRoot(keys)
	switch {
	case os.IsNotExist(err):
		keyRoot = nil
	case err != nil:
		return err
	default:
		defer keyRoot.Close()
	}
	found, err := store.Inspect(root, filepath.Base(file), keyRoot, time.Now())
	if err != nil {
		return err
	}
	return json.NewEncoder(e.stdout).Encode(found)
}

// broken is the error that lists findings, each with its next step and without content; nil if there are none.
func broken(e *env, c config, found []store.Finding) error {
	if len(found) == 0 {
		return nil
	}
	texts := map[store.FindingKind]string{
		store.FoundSizes: "cli.verify-sizes", store.FoundPlain: "cli.verify-plain", store.FoundBox: "cli.verify-box",
		store.FoundSlot: "cli.verify-slot", store.FoundShelf: "cli.verify-shelf", store.FoundOverdue: "cli.verify-overdue",
		store.FoundFreed: "cli.verify-freed", store.FoundReceipts: "cli.verify-receipts", store.FoundLeftover: "cli.verify-leftover",
		store.FoundModes: "cli.verify-modes", store.FoundForeign: "cli.verify-foreign",
	}
	var lines []string
	for _, f := range found {
		files := f.Files
		if more := len(files) - 5; more > 0 {
			files = append(slices.Clone(files[:5]), "… +"+strconv.Itoa(more))
		}
		lines = append(lines, e.say(texts[f.Kind], "n", strconv.Itoa(f.Count), "files", strings.Join(files, ", "), "dir", filepath.Join(c.DataDir, keysDir)))
	}
	head := e.say("cli.verify-found", "file", filepath.Join(c.DataDir, c.storeName()), "n", strconv.Itoa(len(found)))
	return hinted{errors.New(head), strings.Join(lines, "\n")}
}
