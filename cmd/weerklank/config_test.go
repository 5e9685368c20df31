package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weerklank/weerklank/prompts"
)

// mattermostLines are six rows to which a callback_url can be added.
const mattermostLines = "[http]\nlisten = \"127.0.0.1:8482\"\n[mattermost]\nurl = \"https://chat.example.org\"\ntoken = \"x\"\ncallback_secret = \"" + aSecret + "\"\n"

// slackLines are five rows of a Slack over HTTP, without its signing secret.
const slackLines = "[http]\nlisten = \"127.0.0.1:8482\"\n[slack]\nbot_token = \"xoxb-1\"\ntransport = \"http\"\n"

// What is wrong is said in a line that a person can act on, whatever kind of value stands there.
func TestConfigurationFiles(t *testing.T) {
	for name, tc := range map[string]struct{ file, want string }{
		"a mark before the text":      {"\ufeffdata_dir = \"x\"\r\n[team]\r\nlanguage = \"nl\"\r\n", ""},
		"a mark, and a mistake":       {"\ufeff[team]\nlanguage = \"fr\"\n", "row 2, column 1: team.language: write nl or en"},
		"text for a number":           {"[team]\nmin_replies = \"five\"", "row 2, column 15: team.min_replies: write a whole number"},
		"a fraction":                  {"[team]\nmin_replies = 5.5", "team.min_replies: write a whole number"},
		"too large a number":          {"[team]\nmin_replies = 99999999999999999999", "team.min_replies: "},
		"a number for text":           {"[team]\nlanguage = 3", "team.language: write a text between quotes"},
		"a list for text":             {"data_dir = [1]", "row 1, column 12: data_dir: write a text between quotes"},
		"text for a list":             {"[team]\nholidays = \"nl\"", "team.holidays: write a list between brackets"},
		"numbers in a list":           {"[team]\nholidays = [1]", "team.holidays: write a list between brackets"},
		"text for true or false":      {"[workspace]\nenabled = \"yes\"", "workspace.enabled: write true or false"},
		"a number for a section":      {"team = 3", "team: this is a section: write [team]"},
		"a list of sections":          {"[[team]]\nlanguage = \"nl\"", "team: this is a section: write [team]"},
		"no TOML":                     {"[team]\nlanguage = \"nl", "row 2, column 14: "},
		"a section twice":             {"[team]\n[team]", "row 2, column 2: team: table team already exists"},
		"larger than any":             {strings.Repeat("# many words\n", 90_000), "larger than any configuration"},
		"a name of ours":              {"[store]\nurl = \"bbolt:keys\"", "row 2, column 1: store.url: the program keeps something else under this name"},
		"a name of ours, in capitals": {"[store]\nurl = \"bbolt:Workspace.jsonl\"", "store.url: the program keeps something else"},
		"the marker":                  {"[store]\nurl = \"bbolt:running\"", "store.url: the program keeps something else"},
		"the socket":                  {"[store]\nurl = \"bbolt:control.sock\"", "store.url: the program keeps something else"},
		"the backups":                 {"[store]\nurl = \"bbolt:backups\"", "store.url: the program keeps something else"},
		"a folder":                    {"[store]\nurl = \"bbolt:..\"", "store.url: write bbolt:"},
		"no scheme":                   {"[mattermost]\nurl = \"chat.example.org\"\ntoken = \"x\"", "row 2, column 1: mattermost.url: write the whole address"},
		"a query":                     {"[mattermost]\nurl = \"https://chat.example.org/?a=b\"\ntoken = \"x\"", "mattermost.url: write the whole address"},
		"no token":                    {"[mattermost]\nurl = \"https://chat.example.org\"", "row 2, column 1: mattermost.url: fill in the token"},
		"a token alone":               {"[mattermost]\ntoken = \"x\"", "row 2, column 1: mattermost.token: fill in url"},
		"a slash at the end":          {"[mattermost]\nurl = \"https://chat.example.org/\"\ntoken = \"x\"", ""},
		"a callback to plugins":       {mattermostLines + "callback_url = \"https://chat.example.org/plugins/x\"", "row 7, column 1: mattermost.callback_url: no part of the path may begin with plugins"},
		"plugins below a path":        {mattermostLines + "callback_url = \"https://chat.example.org/mm/Plugins-x/y\"", "no part of the path may begin with plugins"},
		"a callback without path":     {mattermostLines + "callback_url = \"https://bot.example.org/\"", "callback_url: write an address with a path"},
		"a path that is not plain":    {mattermostLines + "callback_url = \"https://bot.example.org/a/../b\"", "callback_url: write an address with a path"},
		"a callback to nowhere":       {"[mattermost]\nurl = \"https://chat\"\ntoken = \"x\"\ncallback_url = \"https://bot.example.org/abc\"", "callback_url: fill in [http] listen"},
		"a callback without secret":   {strings.Replace(mattermostLines, "callback_secret", "#", 1) + "callback_url = \"https://bot.example.org/abc\"", "row 7, column 1: mattermost.callback_url: fill in callback_secret"},
		"a callback alone":            {"[mattermost]\ncallback_url = \"https://bot.example.org/abc\"", "callback_url: fill in url and token"},
		"a weak secret":               {"[mattermost]\ncallback_secret = \"geheim\"", "row 2, column 1: mattermost.callback_secret: this is not 32 random bytes. Make it with: openssl rand -hex 32"},
		"no command token":            {"[mattermost]\ncommand_tokens = [\"abc\"]", "row 2, column 1: mattermost.command_tokens: number 1: the token of a slash command is 26"},
		"a listener without port":     {"[http]\nlisten = \"127.0.0.1\"", "row 2, column 1: http.listen: write an address as host:port"},
		"a path of the library":       {"[slack]\nbot_token = \"xoxb-1\"\ntransport = \"http\"\nsigning_secret = \"" + aSigning + "\"\npath = \"/library\"\n[http]\nlisten = \"127.0.0.1:8482\"\npublic_url = \"https://bot.example.org\"", "slack.path: this path is the library's on the web"},
		"a public address of none":    {"[http]\npublic_url = \"bot\"", "row 2, column 1: http.public_url: write the whole address"},
		"all of it":                   {mattermostLines + "callback_url = \"https://bot.example.org/f00dbabef00dbabe/\"\ncommand_tokens = [\"" + aCommand + "\"]", ""},
		"slack":                       {"[slack]\nbot_token = \"xoxb-1\"\napp_token = \"xapp-1\"", ""},
		"slack over http":             {slackLines + "signing_secret = \"" + aSigning + "\"", ""},
		"an app token for the bot":    {"[slack]\nbot_token = \"xapp-1\"\napp_token = \"xapp-1\"", "row 2, column 1: slack.bot_token: a bot token begins with xoxb-"},
		"a bot token for the app":     {"[slack]\nbot_token = \"xoxb-1\"\napp_token = \"xoxb-1\"", "row 3, column 1: slack.app_token: an app token begins with xapp-"},
		"a token in two pieces":       {"[slack]\nbot_token = \"xoxb-1 2\"\napp_token = \"xapp-1\"", "slack.bot_token: a bot token begins"},
		"no app token":                {"[slack]\nbot_token = \"xoxb-1\"", "row 2, column 1: slack.bot_token: fill in app_token as well"},
		"an app token alone":          {"[slack]\napp_token = \"xapp-1\"", "row 2, column 1: slack.app_token: fill in bot_token as well"},
		"a signing secret alone":      {"[slack]\nsigning_secret = \"" + aSigning + "\"", "slack.signing_secret: fill in bot_token as well"},
		"a signing secret of another": {slackLines + "signing_secret = \"geheim\"", "row 6, column 1: slack.signing_secret: these are not 32 signs"},
		"no signing secret":           {slackLines, "row 5, column 1: slack.transport: fill in signing_secret as well"},
		"http without a listener":     {"[slack]\nbot_token = \"xoxb-1\"\ntransport = \"http\"\nsigning_secret = \"" + aSigning + "\"", "row 3, column 1: slack.transport: fill in [http] listen as well"},
		"another transport":           {"[slack]\ntransport = \"websocket\"", "row 2, column 1: slack.transport: write socket or http"},
		"slack without api":           {"[slack]\napi_url = \"https://slack.com/\"", "row 2, column 1: slack.api_url: write the whole address up to /api/"},
		"slack in the open":           {"[slack]\napi_url = \"http://slack.com/api/\"", "slack.api_url: write https"},
		"slack without its slash":     {"[slack]\napi_url = \"https://slack.com/api\"", ""},
		"too fast":                    {"[slack]\nper_second = 100", "row 2, column 1: slack.per_second: write a whole number from 1 to 20"},
		"no pace":                     {"[slack]\nper_second = 0", "slack.per_second: write a whole number from 1 to 20"},
		"a path of slack":             {"[slack]\npath = \"slack\"", "row 2, column 1: slack.path: write a plain path"},
		"the path of the callback":    {slackLines + "signing_secret = \"" + aSigning + "\"\npath = \"/a\"\n[mattermost]\nurl = \"https://chat\"\ntoken = \"x\"\ncallback_secret = \"" + aSecret + "\"\ncallback_url = \"https://bot.example.org/a/b\"", "row 7, column 1: slack.path: this path and that of"},
		"a name for an id":            {"[rights]\nmanagers = [\"slack:irma\"]", "row 2, column 1: rights.managers: write the member ID"},
		"an id":                       {"[rights]\nmanagers = [\"slack:U0123ABCDEF\"]", ""},
		"a key of slack":              {"[slack]\ntoken = \"x\"", "row 2, column 1: slack.token: this key is unknown"},
		"too deep for a socket":       {"data_dir = \"" + strings.Repeat("deep/", 19) + "\"", "row 1, column 1: data_dir: the control socket in it would have a path of more than 100 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "c.toml")
			if err := os.WriteFile(path, []byte(tc.file), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := loadConfig(&env{lookup: unset, lang: prompts.English}, path)
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("%v, want %q", err, tc.want)
			}
			if strings.Contains(err.Error(), "struct") || len(err.Error()) > 600 {
				t.Errorf("not for people: %v", err)
			}
		})
	}
}
