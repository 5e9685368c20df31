package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/prompts"
)

// Whatever stands in a configuration: it is taken or refused with words, and what is taken keeps to the floors.
func FuzzConfig(f *testing.F) {
	example, err := os.ReadFile(filepath.Join("..", "..", "config.example.toml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	f.Add("[team]\nrhythm = \"custom\"\ncron = \"TZ= 0 10 * * *\"\nwindow = \"-1d\"")
	f.Add("[limits]\nmin_replies = -9223372036854775808")
	f.Add("[privacy]\nkeep_replies = \"99999999999999999999d\"\n[workspace]\nlisten = \"[::1]:0\"")
	f.Add("[mattermost]\nurl = \"http://[::1\"\ntoken = \"\"\ncallback_url = \"//plugins\"\ncallback_secret = \"AAAA\"\ncommand_tokens = [\"\"]\n[http]\nlisten = \":\"")
	f.Add("\ufeff[team]\r\nlanguage = \"nl\"")
	f.Add("[backup]\nschedule = \"CRON_TZ= 0 3 * * *\"\nkeep = \"-1d\"\nrecipients = [\"age1x\", \"AGE-SECRET-KEY-1\", \"\"]")
	f.Fuzz(func(t *testing.T, text string) {
		e := &env{lookup: unset, stdout: io.Discard, stderr: io.Discard, lang: prompts.Dutch}
		c := defaultConfig()
		err := parseConfig(e, []byte(text), &c)
		if err == nil {
			err = checkConfig(e, c, []byte(text))
		}
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("refused without a word")
			}
			return
		}
		if days, err := parseDays(c.Backup.Keep); err != nil || days < 1 || days > maxKeepBackups {
			t.Errorf("taken, and not to be done: %+v", c.Backup)
		}
		if days, err := c.keepDays(); c.Limits.MinReplies < 3 || c.Limits.MinMembers < 6 || c.Team.MinReplies < 3 || err != nil || days < 14 || days > 365 || !loopback(c.Workspace.Listen) {
			t.Errorf("taken, and below the floors: %+v", c)
		}
	})
}

func FuzzHolidays(f *testing.F) {
	f.Add("name = \"x\"\neaster = [-48]\nyearly = [\"11-11\"]\ndays = [2026-09-15]\n[[period]]\nfirst = 2026-12-19\nlast = 2027-01-03")
	f.Add("name = \"x\"\ndays = [0000-00-00]")
	f.Fuzz(func(t *testing.T, text string) {
		if set, err := parseHolidays(strings.NewReader(text)); err == nil && set.Name == "" {
			t.Error("a set without a name")
		}
	})
}
