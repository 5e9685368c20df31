package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// secret is a value of the configuration that shows itself to no formatter, logger or encoder. It is behind a pointer
// because a formatter that meets a hidden field looks through it without asking, and no named string because the encoder
// of TOML does not ask those either.
type secret struct{ text *string }

func newSecret(s string) secret {
	if s == "" {
		return secret{}
	}
	return secret{&s}
}

// hiddenSecret stands where a secret that is set would stand.
const hiddenSecret = "(set, not shown)"

// Format implements fmt.Formatter.
func (s secret) Format(f fmt.State, _ rune) { io.WriteString(f, s.mark()) }

// MarshalText implements encoding.TextMarshaler: it is what `config show` and a log print.
func (s secret) MarshalText() ([]byte, error) { return []byte(s.mark()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *secret) UnmarshalText(text []byte) error {
	*s = newSecret(string(text))
	return nil
}

func (s secret) mark() string {
	if !s.set() {
		return ""
	}
	return hiddenSecret
}

func (s secret) set() bool { return s.text != nil }

// reveal is for the one place that uses it.
func (s secret) reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

func reveal(all []secret) (out []string) {
	for _, s := range all {
		out = append(out, s.reveal())
	}
	return out
}

// maxSecretFile is more than any secret needs.
const maxSecretFile = 64 << 10

// openToOthers says whether others than the owner of a file can read it, by its mode. For what systemd hands to this program
// alone the group's part of the mode is that of a list with one name.
func openToOthers(e *env, name string, mode os.FileMode) bool {
	others := os.FileMode(0o077)
	if dir, ok := e.lookup("CREDENTIALS_DIRECTORY"); ok && dir != "" && filepath.Dir(filepath.Clean(name)) == filepath.Clean(dir) {
		others = 0o007
	}
	return runtime.GOOS != "windows" && mode.Perm()&others != 0 // there the mode says nothing
}

// readSecret reads a file with a secret, which nobody else on the machine may read. The errors hold nothing of it.
func readSecret(e *env, dir, name string) (text, problem string) {
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err.Error()
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err.Error()
	}
	if openToOthers(e, name, info.Mode()) {
		return "", e.say("cli.config-secret-open", "file", name)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSecretFile+1))
	if err != nil {
		return "", err.Error()
	}
	text = strings.TrimRight(string(raw), "\r\n")
	switch {
	case len(raw) > maxSecretFile:
		return "", e.say("cli.config-large")
	case strings.TrimSpace(text) == "":
		return "", e.say("cli.config-secret-empty", "file", name)
	}
	return text, ""
}

// loadSecrets reads the secrets that the configuration keeps in files of their own, relative to dir.
func (c *config) loadSecrets(e *env, dir string, raw []byte) []error {
	var problems []error
	read := func(section, key, file string, set bool, use func(string)) {
		if file == "" {
			return
		}
		wrong := func(text string) {
			row, col := locate(raw, section, key+"_file")
			problems = append(problems, configProblem{row, col, section + "." + key + "_file", text})
		}
		if set {
			wrong(e.say("cli.config-secret-twice", "key", key))
			return
		}
		text, problem := readSecret(e, dir, file)
		if problem != "" {
			wrong(problem)
			return
		}
		use(text)
	}
	m := &c.Mattermost
	read("mattermost", "token", m.TokenFile, m.Token.set(), func(s string) { m.Token = newSecret(s) })
	read("mattermost", "callback_secret", m.CallbackSecretFile, m.CallbackSecret.set(), func(s string) { m.CallbackSecret = newSecret(s) })
	read("mattermost", "command_tokens", m.CommandTokensFile, len(m.CommandTokens) > 0, func(s string) {
		for token := range strings.FieldsSeq(s) {
			m.CommandTokens = append(m.CommandTokens, newSecret(token))
		}
	})
	s := &c.Slack
	read("slack", "bot_token", s.BotTokenFile, s.BotToken.set(), func(text string) { s.BotToken = newSecret(text) })
	read("slack", "app_token", s.AppTokenFile, s.AppToken.set(), func(text string) { s.AppToken = newSecret(text) })
	read("slack", "signing_secret", s.SigningSecretFile, s.SigningSecret.set(), func(text string) { s.SigningSecret = newSecret(text) })
	return problems
}

// leastKey is how many random bytes a signing key needs.
const leastKey = 32

// signingKey reads a key that was written as hex, as base64 or as it is. Nil: too short, or no random bytes at all.
func signingKey(s secret) []byte {
	text := strings.TrimSpace(s.reveal())
	key := []byte(text)
	if raw, err := hex.DecodeString(text); err == nil {
		key = raw
	} else if bare := strings.TrimRight(text, "="); len(bare) > 0 {
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			if raw, err := enc.DecodeString(bare); err == nil && len(raw) >= leastKey {
				key = raw
				break
			}
		}
	}
	if len(key) < leastKey || patterned(key) {
		return nil
	}
	return key
}

// patterned finds what no chance makes: few different bytes, a repetition, or steps of one size.
func patterned(key []byte) bool {
	different, steps, most := map[byte]bool{}, map[byte]int{}, 0
	for i, b := range key {
		different[b] = true
		if i > 0 {
			steps[b-key[i-1]]++
			most = max(most, steps[b-key[i-1]])
		}
	}
	if len(different) < 12 || most > len(key)/3 {
		return true
	}
	for period := 1; period <= len(key)/2; period++ {
		if string(key[period:]) == string(key[:len(key)-period]) {
			return true
		}
	}
	return false
}
