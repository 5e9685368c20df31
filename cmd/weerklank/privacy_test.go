package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/weerklank/weerklank/prompts"
	"github.com/weerklank/weerklank/store"
)

// The data sheet names everything that is kept: every section of the store and every file in the data directory; both
// languages say the same, and every figure is the configuration's.
func TestDataSheet(t *testing.T) {
	c := defaultConfig()
	c.Workspace.Enabled, c.Help.Adviser, c.Privacy.KeepReplies, c.Team.MinReplies = true, "Jo | `x`", "30d", 7
	c.Backup.Recipients = []string{"age1a", "age1b"}
	c.Mattermost.URL, c.Slack.BotToken = "https://chat.example.org", newSecret(aBot)
	sheets := map[prompts.Lang]string{}
	for _, lang := range prompts.Langs() {
		s := privacySheet(c, lang)
		sheets[lang] = s
		if regexp.MustCompile(`\{[a-z-]+\}`).MatchString(s) {
			t.Errorf("%s: a figure is missing:\n%s", lang, s)
		}
		columns := 0
		for line := range strings.SplitSeq(s, "\n") {
			n := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|")
			if n == 0 {
				columns = 0
				continue
			}
			if columns != 0 && n != columns {
				t.Errorf("%s: a row of another width: %s", lang, line)
			}
			columns = n
		}
		if !strings.Contains(s, "`0 3 * * *`") || !strings.Contains(s, ": 2 |") || !strings.Contains(s, "| 14 da") {
			t.Errorf("%s: does not say what backups there are", lang)
		}
		if !strings.Contains(s, "Mattermost, https://chat.example.org; Slack; ") || strings.Count(s, "\n## ") != 9 {
			t.Errorf("%s: what the servers keep is missing", lang)
		}
		if quiet := privacySheet(defaultConfig(), lang); strings.Contains(quiet, "Mattermost") || strings.Contains(quiet, "Slack") {
			t.Errorf("%s: says what a server keeps that there is not", lang)
		}
		silent(t, "the sheet", s)
		if !strings.Contains(s, "| 30 ") {
			t.Errorf("%s: does not say how long answers are kept", lang)
		}
	}
	for _, find := range []string{"`[^`]+`", `\([AP][0-9, A]+\)`, `(?m)^(#+|-|\|)`} {
		nl, en := regexp.MustCompile(find).FindAllString(sheets["nl"], -1), regexp.MustCompile(find).FindAllString(sheets["en"], -1)
		slices.Sort(nl)
		slices.Sort(en)
		if !slices.Equal(nl, en) {
			t.Errorf("the languages differ in %s:\n%v\n%v", find, nl, en)
		}
	}

	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	db, err := store.Open(root, "weerklank.db", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := bolt.Open(filepath.Join(dir, "weerklank.db"), 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	err = raw.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, _ *bolt.Bucket) error {
			for lang, s := range sheets {
				if !strings.Contains(s, "`"+string(name)+"`") {
					t.Errorf("%s: nothing is said of %s", lang, name)
				}
			}
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}
