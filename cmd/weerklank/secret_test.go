package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/weerklank/weerklank/prompts"
)

// Secrets that no output may show.
const (
	aToken   = "toktoktoktok1234567890abcd"
	aSecret  = "1f2faa8689542f3ad98e52d93cd191eb2b5e89800d5db6d3e35b76608d9f823a"
	aCommand = "cmdcmdcmdcmd1234567890abcd"
	aBot     = "xoxb-11111111111-botbotbotbot1234567890"
	anApp    = "xapp-1-a0a0a0a0-appappappapp1234567890"
	aSigning = "8f742231b10e8888abcd99aaaccc85a5"
)

func silent(t *testing.T, what, text string) {
	t.Helper()
	for _, s := range []string{aToken, aSecret, aCommand, aToken[4:20], aSecret[8:40], aCommand[4:20], fmt.Sprintf("%x", aToken), fmt.Sprintf("%x", aCommand), aBot[5:], anApp[5:], aSigning} {
		if strings.Contains(strings.ToLower(text), s) {
			t.Errorf("%s shows a secret:\n%s", what, text)
		}
	}
}

// A secret shows itself to no formatter, logger or encoder, and a list of them neither; that it is set does show.
func TestSecretsOfTheConfiguration(t *testing.T) {
	c := defaultConfig()
	c.Slack.BotToken, c.Slack.AppToken, c.Slack.SigningSecret = newSecret(aBot), newSecret(anApp), newSecret(aSigning)
	c.Mattermost.Token, c.Mattermost.CallbackSecret, c.Mattermost.CommandTokens = newSecret(aToken), newSecret(aSecret), []secret{newSecret(aCommand)}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&out, verb+verb+verb+verb, c.Mattermost.Token, c.Mattermost.CommandTokens, c, &parts{c: c})
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "token", c.Mattermost.Token, "all", c.Mattermost.CommandTokens, "c", c)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "token", c.Mattermost.Token, "all", c.Mattermost.CommandTokens, "c", c)
	raw, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	out.Write(raw)
	if err := toml.NewEncoder(&out).Encode(c); err != nil {
		t.Fatal(err)
	}
	silent(t, "an encoder", out.String())
	if !strings.Contains(out.String(), hiddenSecret) {
		t.Error("that a secret is set does not show")
	}
}

// Every secret can stand in a file of its own, beside the configuration, which nobody else can read; or in a variable.
func TestSecretsFromFilesAndVariables(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	write("token", aToken+"\r\n", 0o600)
	write("secret", aSecret+"\n", 0o600)
	write("commands", aCommand+"\nbbbbbbbbbbbbbbbbbbbbbbbbbb\n\n", 0o400)
	write("open", aToken+"\n", 0o604)
	write("group", aToken+"\n", 0o640)
	write("executable", aToken+"\n", 0o610)
	write("empty", "\n", 0o600)
	write("c.toml", `[mattermost]
url = "https://chat.example.org/"
token_file = "token"
callback_url = "/f00dbabef00dbabe/"
callback_secret_file = "secret"
command_tokens_file = "commands"
[http]
listen = "127.0.0.1:8482"
public_url = "https://bot.example.org/"
`, 0o600)
	path := filepath.Join(dir, "c.toml")
	set := map[string]string{}
	e := &env{lookup: func(k string) (string, bool) { v, ok := set[k]; return v, ok }, lang: prompts.English}
	c, err := loadConfig(e, path)
	if err != nil {
		t.Fatal(err)
	}
	m := c.mattermostConfig()
	if m.Token != aToken || len(m.Secret) != 32 || len(m.CommandTokens) != 2 || m.CommandTokens[0] != aCommand {
		t.Errorf("%d, %d, %d", len(m.Token), len(m.Secret), len(m.CommandTokens))
	}
	if m.URL != "https://chat.example.org" || m.CallbackURL != "https://bot.example.org/f00dbabef00dbabe" || c.callbackPath() != "/f00dbabef00dbabe" {
		t.Errorf("addresses: %s, %s", m.URL, m.CallbackURL)
	}
	set["WEERKLANK_MATTERMOST_TOKEN_FILE"], set["CREDENTIALS_DIRECTORY"] = filepath.Join(dir, "group"), dir
	if c, err = loadConfig(e, path); err != nil || c.Mattermost.Token.reveal() != aToken {
		t.Errorf("what systemd hands over: %v", err)
	}

	for name, tc := range map[string]struct {
		set  map[string]string
		want string
	}{
		"by variable":     {map[string]string{"WEERKLANK_MATTERMOST_TOKEN": aToken, "WEERKLANK_MATTERMOST_TOKEN_FILE": "", "WEERKLANK_MATTERMOST_COMMAND_TOKENS": aCommand, "WEERKLANK_MATTERMOST_COMMAND_TOKENS_FILE": ""}, ""},
		"both":            {map[string]string{"WEERKLANK_MATTERMOST_TOKEN": aToken}, "row 3, column 1: mattermost.token_file: token is set as well"},
		"others can read": {map[string]string{"WEERKLANK_MATTERMOST_TOKEN_FILE": "open"}, "row 3, column 1: mattermost.token_file: others than its owner can read"},
		"the group can":   {map[string]string{"WEERKLANK_MATTERMOST_TOKEN_FILE": "group"}, "/group; close it with: chmod 600 "},
		"or run it":       {map[string]string{"WEERKLANK_MATTERMOST_TOKEN_FILE": "executable"}, "/executable; close it with: chmod 600 "},
		"from elsewhere":  {map[string]string{"WEERKLANK_MATTERMOST_TOKEN_FILE": "group", "CREDENTIALS_DIRECTORY": filepath.Dir(dir)}, "others than its owner"},
		"nothing in it":   {map[string]string{"WEERKLANK_MATTERMOST_TOKEN_FILE": "empty"}, "is empty"},
		"no file":         {map[string]string{"WEERKLANK_MATTERMOST_CALLBACK_SECRET_FILE": "nowhere"}, "row 5, column 1: mattermost.callback_secret_file: open "},
		"too weak":        {map[string]string{"WEERKLANK_MATTERMOST_CALLBACK_SECRET_FILE": "token"}, "mattermost.callback_secret: this is not 32 random bytes"},
		"the same twice":  {map[string]string{"WEERKLANK_MATTERMOST_COMMAND_TOKENS": aCommand + "," + aCommand, "WEERKLANK_MATTERMOST_COMMAND_TOKENS_FILE": ""}, "numbers 1 and 2 are the same"},
	} {
		t.Run(name, func(t *testing.T) {
			clear(set)
			maps.Copy(set, tc.set)
			c, err := loadConfig(e, path)
			if tc.want == "" {
				if err != nil || c.Mattermost.Token.reveal() != aToken || len(c.Mattermost.CommandTokens) != 1 {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("%v, want %q", err, tc.want)
			}
			silent(t, "an error", err.Error())
		})
	}
}

// A key is hex, base64 or the bytes themselves; what is short, or made by no chance, is none.
func TestSigningKey(t *testing.T) {
	for text, size := range map[string]int{
		aSecret: 32, strings.ToUpper(aSecret): 32, " " + aSecret + "\n": 32,
		"Xw6hN0vY5mQm3m5m9l1tq0lq7Zk8wq2bH4u9sVd1rXo=": 32, "Xw6hN0vY5mQm3m5m9l1tq0lq7Zk8wq2bH4u9sVd1rXo": 32, "Xw6hN0vY5mQm3m5m9l1tq0lq7Zk8-q2bH4u9sVd1_Xo": 32,
		"q#8Fz!m2Lp@7Rt$5Wx^9Bn&3Kd*1Hs(6": 32,
		aSecret[:62]:                       0, "": 0, "geheim": 0, strings.Repeat("a", 64): 0, strings.Repeat("0", 64): 0,
		strings.Repeat("0123456789abcdef", 4): 0, strings.Repeat("geheim", 8): 0, "abcdefghijklmnopqrstuvwxyz0123456789": 0,
		aSecret[:32] + aSecret[:32]: 0, strings.Repeat("12", 40): 0,
	} {
		if key := signingKey(newSecret(text)); len(key) != size {
			t.Errorf("%d characters that begin with %.4s: %d bytes, want %d", len(text), text, len(key), size)
		}
	}
}

// Wherever a mistake is, and whatever stands beside it, nothing of a secret is said.
func TestMistakesSayNoSecret(t *testing.T) {
	all := fmt.Sprintf("[mattermost]\ntoken = %q\ncallback_secret = %q\ncommand_tokens = [%q, %q]\n", aToken, aSecret, aCommand, "x"+aCommand)
	all = fmt.Sprintf("[slack]\nbot_token = %q\napp_token = %q\nsigning_secret = %q\n", "x"+aBot, anApp+" x", aSigning+"0") + all
	for name, more := range map[string]string{
		"unknown key": "tokn = \"" + aToken + "\"\n", "cut short": "callback_url = \"" + aSecret, "twice": "token = \"" + aToken + "\"\n",
		"url": "url = \"https://" + aToken + "@chat\"\n", "no url": "", "a number": "url = 3\n", "callback": "callback_url = \"ftp://x\"\n",
	} {
		path := filepath.Join(t.TempDir(), "c.toml")
		if err := os.WriteFile(path, []byte(all+more), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := loadConfig(&env{lookup: unset, lang: prompts.Dutch}, path)
		if err == nil {
			t.Errorf("%s: taken", name)
			continue
		}
		silent(t, name, err.Error())
	}
}

// The secrets of Slack have the same three places.
func TestSecretsOfSlack(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"bot": aBot, "app": anApp, "signing": aSigning} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, "c.toml")
	text := "[http]\nlisten = \"127.0.0.1:0\"\npublic_url = \"https://bot.example.org/\"\n[slack]\ntransport = \"http\"\nbot_token_file = \"bot\"\napp_token_file = \"app\"\nsigning_secret_file = \"signing\"\npath = \"/slack/\"\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	set := map[string]string{}
	e := &env{lookup: func(k string) (string, bool) { v, ok := set[k]; return v, ok }, lang: prompts.English}
	c, err := loadConfig(e, file)
	if err != nil {
		t.Fatal(err)
	}
	if s := c.slackConfig(); s.BotToken != aBot || s.AppToken != anApp || s.SigningSecret != aSigning || !s.HTTP || s.APIURL != slackURL || s.PerSecond != 3 || !c.slackHTTP() {
		t.Errorf("%d, %d, %d, %+v", len(s.BotToken), len(s.AppToken), len(s.SigningSecret), s.HTTP)
	}
	if c.slackBase() != "https://bot.example.org/slack" {
		t.Error(c.slackBase())
	}
	set["WEERKLANK_SLACK_APP_TOKEN"] = anApp
	if _, err := loadConfig(e, file); err == nil || !strings.Contains(err.Error(), "row 7, column 1: slack.app_token_file: app_token is set as well") {
		t.Error(err)
	}
	set["WEERKLANK_SLACK_APP_TOKEN_FILE"], set["WEERKLANK_SLACK_TRANSPORT"], set["WEERKLANK_SLACK_PER_SECOND"] = "", "socket", "5"
	if c, err := loadConfig(e, file); err != nil || c.slackConfig().AppToken != anApp || c.slackHTTP() || c.slackConfig().PerSecond != 5 || c.slackBase() != "" {
		t.Errorf("by variables: %v", err)
	}
}
