package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// config is the one file, with the names of DESIGN 6. Every key can also be set by the environment variable
// WEERKLANK_<SECTION>_<KEY>; one that is set and empty sets the empty value.
type config struct {
	DataDir string `toml:"data_dir"`
	Store   struct {
		URL string `toml:"url"`
	} `toml:"store"`
	Help struct {
		Adviser    string `toml:"adviser"`
		Support    string `toml:"support"`
		Scheme     string `toml:"scheme"`
		Officer    string `toml:"officer"`
		HeavyWords string `toml:"heavy_words"`
	} `toml:"help"`
	Organisation struct {
		PublicSector bool     `toml:"public_sector"`
		HolidayFiles []string `toml:"holiday_files"`
	} `toml:"organisation"`
	Team struct {
		Activation    string   `toml:"activation"`
		Rhythm        string   `toml:"rhythm"`
		Cron          string   `toml:"cron"`
		Window        string   `toml:"window"`
		GiveBackAfter string   `toml:"give_back_after"`
		Zone          string   `toml:"zone"`
		Language      string   `toml:"language"`
		MinReplies    int      `toml:"min_replies"`
		QuietHours    string   `toml:"quiet_hours"`
		WorkdaysOnly  bool     `toml:"workdays_only"`
		Holidays      []string `toml:"holidays"`
	} `toml:"team"`
	Limits struct {
		MinReplies int `toml:"min_replies"`
		MinMembers int `toml:"min_members"`
	} `toml:"limits"`
	Privacy struct {
		KeepReplies string   `toml:"keep_replies"`
		CaseNumbers []string `toml:"case_numbers"`
	} `toml:"privacy"`
	Rights struct {
		Managers []string `toml:"managers"`
		Editors  []string `toml:"editors"`
	} `toml:"rights"`
	Library struct {
		Dir string `toml:"dir"`
	} `toml:"library"`
	Workspace struct {
		Enabled bool   `toml:"enabled"`
		Listen  string `toml:"listen"`
	} `toml:"workspace"`
	Mattermost struct {
		URL                string   `toml:"url"`
		Token              secret   `toml:"token"`
		TokenFile          string   `toml:"token_file"`
		CallbackURL        string   `toml:"callback_url"`
		CallbackSecret     secret   `toml:"callback_secret"`
		CallbackSecretFile string   `toml:"callback_secret_file"`
		CommandTokens      []secret `toml:"command_tokens"`
		CommandTokensFile  string   `toml:"command_tokens_file"`
	} `toml:"mattermost"`
	Slack struct {
		BotToken          secret `toml:"bot_token"`
		BotTokenFile      string `toml:"bot_token_file"`
		AppToken          secret `toml:"app_token"`
		AppTokenFile      string `toml:"app_token_file"`
		Transport         string `toml:"transport"`
		SigningSecret     secret `toml:"signing_secret"`
		SigningSecretFile string `toml:"signing_secret_file"`
		Path              string `toml:"path"`
		APIURL            string `toml:"api_url"`
		PerSecond         int    `toml:"per_second"`
	} `toml:"slack"`
	HTTP struct {
		Listen    string `toml:"listen"`
		PublicURL string `toml:"public_url"`
	} `toml:"http"`
	Admin struct {
		Listen string `toml:"listen"`
	} `toml:"admin"`
	Backup struct {
		Dir        string   `toml:"dir"`
		Schedule   string   `toml:"schedule"`
		Keep       string   `toml:"keep"`
		Recipients []string `toml:"recipients"`
	} `toml:"backup"`
	Log struct {
		Level  string `toml:"level"`
		Format string `toml:"format"`
	} `toml:"log"`

	libraryAt string              // where Library.Dir is, seen from here
	holidays  []bot.HolidaySet    // read from HolidayFiles
	keysLost  bool                // the operator says that missing key slots are gone for good
	heavy     []locale.HeavyWords // read from HeavyWords; nil: the built-in list
}

func defaultConfig() config {
	var c config
	c.DataDir = "./data"
	c.Store.URL = "bbolt:weerklank.db"
	t := &c.Team
	t.Activation, t.Rhythm, t.Cron, t.Window, t.GiveBackAfter = "direct", "weekly", "0 10 * * TUE", "6d", "5h"
	t.Zone, t.Language, t.MinReplies, t.QuietHours, t.WorkdaysOnly, t.Holidays = "Europe/Amsterdam", "nl", 5, "18:00-08:00", true, []string{"nl"}
	c.Organisation.HolidayFiles = []string{}
	c.Limits.MinReplies, c.Limits.MinMembers = 5, 6
	c.Privacy.KeepReplies, c.Privacy.CaseNumbers = "90d", []string{}
	c.Rights.Managers, c.Rights.Editors = []string{}, []string{}
	c.Workspace.Listen = "127.0.0.1:8480"
	c.Mattermost.CommandTokens = []secret{}
	c.Slack.Transport, c.Slack.Path, c.Slack.APIURL, c.Slack.PerSecond = transportSocket, "/slack", slackURL, 3
	c.Admin.Listen = "127.0.0.1:8481"
	c.Backup.Schedule, c.Backup.Keep, c.Backup.Recipients = "0 3 * * *", "14d", []string{}
	c.Log.Level, c.Log.Format = "info", "json"
	return c
}

// configProblem is one thing wrong in the configuration, with its place if it has one.
type configProblem struct {
	row, col int
	key      string
	text     string
}

func (p configProblem) Error() string {
	switch {
	case p.row > 0 && p.key == "":
		return fmt.Sprintf("row %d, column %d: %s", p.row, p.col, p.text)
	case p.row > 0:
		return fmt.Sprintf("row %d, column %d: %s: %s", p.row, p.col, p.key, p.text)
	case p.key != "":
		return p.key + ": " + p.text
	}
	return p.text
}

// loadConfig reads the file over the defaults, then the environment, then checks everything at once. An empty path
// gives the defaults.
func loadConfig(e *env, path string) (config, error) {
	c := defaultConfig()
	var raw []byte
	if path != "" {
		var err error
		if raw, err = readConfig(e, path); err != nil {
			return c, hinted{fmt.Errorf("read configuration: %w", err), e.say("cli.hint-config")}
		}
		if err := parseConfig(e, raw, &c); err != nil {
			return c, hinted{fmt.Errorf("configuration %s:\n%w", path, err), e.say("cli.hint-config-check")}
		}
	}
	if err := fromEnvironment(e, &c); err != nil {
		return c, err
	}
	c.tidy()
	if c.libraryAt = c.Library.Dir; c.libraryAt != "" && !filepath.IsAbs(c.libraryAt) {
		c.libraryAt = filepath.Join(filepath.Dir(path), c.libraryAt)
	}
	if problems := c.loadSecrets(e, filepath.Dir(path), raw); len(problems) > 0 {
		return c, hinted{fmt.Errorf("configuration %s:\n%w", path, errors.Join(problems...)), e.say("cli.hint-config-check")}
	}
	if err := c.loadHolidays(filepath.Dir(path)); err != nil {
		row, col := locate(raw, "organisation", "holiday_files")
		problem := configProblem{row, col, "organisation.holiday_files", err.Error()}
		return c, hinted{fmt.Errorf("configuration %s:\n%w", path, problem), e.say("cli.hint-holidays")}
	}
	if err := c.loadHeavy(filepath.Dir(path)); err != nil {
		row, col := locate(raw, "help", "heavy_words")
		problem := configProblem{row, col, "help.heavy_words", err.Error()}
		return c, hinted{fmt.Errorf("configuration %s:\n%w", path, problem), e.say("cli.hint-heavy")}
	}
	if err := checkConfig(e, c, raw); err != nil {
		return c, hinted{fmt.Errorf("configuration %s:\n%w", path, err), e.say("cli.hint-config-check")}
	}
	return c, nil
}

// maxConfig is more than any configuration needs.
const maxConfig = 1 << 20

// readConfig reads the file without the mark that some editors put before it.
func readConfig(e *env, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err == nil && len(raw) > maxConfig {
		err = fmt.Errorf("%s: %s", path, e.say("cli.config-large"))
	}
	return bytes.TrimPrefix(raw, []byte("\ufeff")), err
}

func parseConfig(e *env, raw []byte, c *config) error {
	err := toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields().Decode(c)
	var strict *toml.StrictMissingError
	var bad *toml.DecodeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &strict):
		var all []error
		for _, missing := range strict.Errors {
			row, col := missing.Position()
			all = append(all, configProblem{row, col, strings.Join(missing.Key(), "."), e.say("cli.config-unknown")})
		}
		return errors.Join(all...)
	case errors.As(err, &bad):
		row, col := bad.Position()
		key, text := strings.Join(bad.Key(), "."), strings.TrimPrefix(bad.Error(), "toml: ")
		if toml.Unmarshal(raw, new(map[string]any)) == nil { // it is TOML, so that the value is of another kind
			text = c.wanted(e, key)
		}
		return configProblem{row, col, key, text}
	}
	return err
}

// wanted says what to write at a key.
func (c *config) wanted(e *env, at string) string {
	text := e.say("cli.config-section", "name", at)
	c.fields(func(section, key string, v reflect.Value) {
		if strings.TrimPrefix(section+"."+key, ".") != at {
			return
		}
		switch v.Kind() {
		case reflect.String, reflect.Struct:
			text = e.say("cli.config-text")
		case reflect.Bool:
			text = e.say("cli.config-bool")
		case reflect.Int:
			text = e.say("cli.config-number")
		case reflect.Slice:
			text = e.say("cli.config-list")
		}
	})
	return text
}

// fields walks every key of the configuration.
func (c *config) fields(visit func(section, key string, v reflect.Value)) {
	root := reflect.ValueOf(c).Elem()
	for i := range root.NumField() {
		name, ok := root.Type().Field(i).Tag.Lookup("toml")
		if !ok {
			continue
		}
		if root.Field(i).Kind() != reflect.Struct {
			visit("", name, root.Field(i))
			continue
		}
		for j := range root.Field(i).NumField() {
			visit(name, root.Field(i).Type().Field(j).Tag.Get("toml"), root.Field(i).Field(j))
		}
	}
}

func fromEnvironment(e *env, c *config) error {
	var problems []error
	c.fields(func(section, key string, v reflect.Value) {
		name := "WEERKLANK_" + strings.ToUpper(key)
		if section != "" {
			name = "WEERKLANK_" + strings.ToUpper(section) + "_" + strings.ToUpper(key)
		}
		s, set := e.lookup(name)
		if !set {
			return
		}
		switch v.Kind() {
		case reflect.String:
			v.SetString(s)
		case reflect.Bool:
			b, err := strconv.ParseBool(s)
			if err != nil {
				problems = append(problems, configProblem{key: name, text: e.say("cli.config-bool")})
			}
			v.SetBool(b)
		case reflect.Int:
			n, err := strconv.Atoi(s)
			if err != nil {
				problems = append(problems, configProblem{key: name, text: e.say("cli.config-number")})
			}
			v.SetInt(int64(n))
		case reflect.Struct:
			v.Set(reflect.ValueOf(newSecret(s)))
		case reflect.Slice:
			parts := append([]string{}, strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })...)
			if v.Type() != reflect.TypeFor[[]secret]() {
				v.Set(reflect.ValueOf(parts))
				return
			}
			list := []secret{}
			for _, part := range parts {
				list = append(list, newSecret(part))
			}
			v.Set(reflect.ValueOf(list))
		}
	})
	return errors.Join(problems...)
}

// locate finds where a key is set, for messages.
func locate(raw []byte, section, key string) (row, col int) {
	current := ""
	for i, text := range strings.Split(string(raw), "\n") {
		trimmed := strings.TrimSpace(text)
		if name, ok := strings.CutPrefix(trimmed, "["); ok {
			current, _, _ = strings.Cut(name, "]")
			current = strings.TrimSpace(current)
			continue
		}
		name, _, ok := strings.Cut(trimmed, "=")
		if ok && current == section && strings.TrimSpace(name) == key {
			return i + 1, strings.Index(text, trimmed) + 1
		}
	}
	return 0, 0
}

// checkConfig says everything that is wrong at once.
func checkConfig(e *env, c config, raw []byte) error {
	var problems []configProblem
	wrong := func(section, key, text string) {
		row, col := locate(raw, section, key)
		name := key
		if section != "" {
			name = section + "." + key
		}
		problems = append(problems, configProblem{row, col, name, text})
	}
	if strings.TrimSpace(c.DataDir) == "" {
		wrong("", "data_dir", e.say("cli.config-empty"))
	}
	if !socketFits(c) {
		wrong("", "data_dir", e.say("cli.config-socket", "max", strconv.Itoa(maxSocket)))
	}
	switch name, ok := strings.CutPrefix(c.Store.URL, "bbolt:"); {
	case !ok || name == "" || name == "." || name == ".." || strings.ContainsAny(name, `/\`):
		wrong("store", "url", e.say("cli.config-store"))
	case slices.ContainsFunc([]string{running, controlSocket, keysDir, chatFile, backupsDir, demoMark}, func(taken string) bool { return strings.EqualFold(taken, name) }):
		wrong("store", "url", e.say("cli.config-store-taken"))
	}
	if c.Team.Activation != "direct" && c.Team.Activation != "announced" {
		wrong("team", "activation", e.say("cli.config-activation"))
	}
	if c.Team.Language != "nl" && c.Team.Language != "en" {
		wrong("team", "language", e.say("cli.config-language"))
	}
	if c.Limits.MinReplies < 3 {
		wrong("limits", "min_replies", e.say("cli.config-min-replies"))
	}
	if c.Limits.MinMembers < 6 {
		wrong("limits", "min_members", e.say("cli.config-min-members"))
	}
	if c.Team.MinReplies < max(c.Limits.MinReplies, 3) {
		wrong("team", "min_replies", e.say("cli.config-team-min", "floor", strconv.Itoa(max(c.Limits.MinReplies, 3))))
	}
	c.checkBackup(e, func(key, text string) { wrong("backup", key, text) })
	if days, err := c.keepDays(); err != nil || days < 14 || days > 365 {
		wrong("privacy", "keep_replies", e.say("cli.config-keep"))
	}
	for _, pattern := range c.Privacy.CaseNumbers {
		if re, err := regexp.Compile(pattern); err != nil || re.MatchString("") {
			wrong("privacy", "case_numbers", e.say("cli.config-pattern", "pattern", pattern))
		}
	}
	if _, err := bot.ParseCalendar(c.settings(), c.holidays...); err != nil {
		var each func(error)
		each = func(err error) {
			if joined, ok := err.(interface{ Unwrap() []error }); ok {
				for _, err := range joined.Unwrap() {
					each(err)
				}
				return
			}
			var p *bot.Problem
			if errors.As(err, &p) {
				wrong("team", p.Field, e.say(p.Key, p.Pairs...))
			}
		}
		each(err)
	}
	for key, accounts := range map[string][]string{"managers": c.Rights.Managers, "editors": c.Rights.Editors} {
		for _, account := range accounts {
			if platform, user, ok := strings.Cut(account, ":"); !ok || platform == "" || user == "" {
				wrong("rights", key, e.say("cli.config-account"))
			}
		}
	}
	c.checkMattermost(e, wrong)
	c.checkSlack(e, wrong)
	if !loopback(c.Workspace.Listen) {
		wrong("workspace", "listen", e.say("cli.config-loopback"))
	}
	if _, _, err := net.SplitHostPort(c.Admin.Listen); err != nil {
		wrong("admin", "listen", e.say("cli.config-listen"))
	}
	switch c.Log.Level {
	case "debug", "info", "warn", "error":
	default:
		wrong("log", "level", e.say("cli.config-level"))
	}
	if c.Log.Format != "json" && c.Log.Format != "text" {
		wrong("log", "format", e.say("cli.config-format"))
	}
	slices.SortStableFunc(problems, func(a, b configProblem) int { return cmp.Compare(a.row, b.row) }) // in the order of the file
	var all []error
	for _, p := range problems {
		all = append(all, p)
	}
	return errors.Join(all...)
}

// maxSocket is a little less than the shortest path that systems allow a socket.
const maxSocket = 100

func socketFits(c config) bool { return len(filepath.Join(c.DataDir, controlSocket)) <= maxSocket }

// loopback says whether an address can only be reached from this machine.
func loopback(addr string) bool {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "" {
		return false
	}
	return loopbackHost(host)
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c config) keepDays() (int, error) { return parseDays(c.Privacy.KeepReplies) }

func parseDays(s string) (int, error) {
	n, ok := strings.CutSuffix(s, "d")
	if !ok {
		return 0, errors.New("days end in d")
	}
	return strconv.Atoi(n)
}

// settings is what a team gets when it is switched on. The built-in rhythms keep their own moment unless the operator
// chose another cron than the default.
func (c config) settings() bot.Settings {
	t := c.Team
	s := bot.Settings{
		Rhythm: bot.RhythmName(t.Rhythm), Cron: t.Cron, Window: bot.Length(t.Window), GiveBackAfter: bot.Length(t.GiveBackAfter),
		Zone: t.Zone, Lang: prompts.Lang(t.Language), MinReplies: t.MinReplies, QuietHours: t.QuietHours, WorkdaysOnly: t.WorkdaysOnly,
		Holidays: t.Holidays, Adviser: c.Help.Adviser,
	}
	if s.Rhythm != bot.RhythmCustom && s.Cron == defaultConfig().Team.Cron {
		s.Cron = ""
	}
	return s
}

// caseNumbers compiles patterns that were checked.
func (c config) caseNumbers() (out []*regexp.Regexp) {
	for _, pattern := range c.Privacy.CaseNumbers {
		out = append(out, regexp.MustCompile(pattern))
	}
	return out
}

func actors(accounts []string) []bot.ActorID {
	var out []bot.ActorID
	for _, a := range accounts {
		out = append(out, bot.ActorID(a))
	}
	return out
}

// cmdConfig is `weerklank config check|show|privacy`.
func cmdConfig(_ context.Context, e *env, args []string) error {
	if len(args) == 0 || !slices.Contains([]string{"check", "show", "privacy"}, args[0]) {
		return usageError{e.say("cli.config-which")}
	}
	var path, lang string
	rest, err := flags(e, "config", args[1:], func(fs *flag.FlagSet) {
		fs.StringVar(&path, "config", "", "")
		if args[0] == "privacy" {
			fs.StringVar(&lang, "lang", "", "")
		}
	})
	if err != nil {
		return err
	}
	if path == "" && len(rest) == 1 {
		path = rest[0]
	} else if len(rest) > 0 {
		return usageError{e.say("cli.too-many")}
	}
	c, err := loadConfig(e, path)
	if err != nil {
		return err
	}
	if args[0] == "privacy" && path == "" { // a sheet of the defaults would be of no installation
		return usageError{e.say("cli.privacy-file")}
	}
	switch args[0] {
	case "show":
		return toml.NewEncoder(e.stdout).SetIndentTables(false).Encode(c)
	case "privacy":
		return printPrivacy(e, c, lang)
	}
	fmt.Fprintln(e.stdout, e.say("cli.config-ok"))
	if !c.Workspace.Enabled && c.Mattermost.URL == "" && !c.slackOn() {
		fmt.Fprintln(e.stdout, e.say("cli.config-no-platform"))
	}
	for _, note := range c.notes(e) {
		fmt.Fprintln(e.stdout, e.say("cli.config-note", "text", note))
	}
	if trouble := c.libraryTrouble(e); len(trouble) > 0 {
		return hinted{errors.New(strings.Join(trouble, "\n")), e.say("cli.hint-library")}
	}
	if c.Help.Adviser == "" {
		fmt.Fprintln(e.stdout, e.say("cli.config-no-adviser"))
	}
	switch c.keyCount() {
	case 0:
		fmt.Fprintln(e.stdout, e.say("cli.config-no-recipients"))
		fmt.Fprintln(e.stdout, e.say("cli.hint-recipients"))
	case 1:
		fmt.Fprintln(e.stdout, e.say("cli.backup-one-key"))
	}
	return nil
}

// zone is where the workspace shows its times.
func (c config) zone() *time.Location {
	if loc, err := time.LoadLocation(c.Team.Zone); err == nil {
		return loc
	}
	return time.UTC
}
