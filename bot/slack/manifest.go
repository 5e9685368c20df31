package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

// Scopes are what the bot token may: no more than the calls and events of this package need.
func Scopes() []string {
	return []string{
		"chat:write",    // what the bot says, and edits of it
		"commands",      // the command and the shortcuts
		"im:write",      // beginning a direct conversation
		"im:history",    // what people type there, and how they change it
		"im:read",       // which direct conversations there are, to read what was typed while the program was down
		"channels:read", // the bot's public channels, and who is in them
		"groups:read",   // the same of private ones
		"users:read",    // who is a bot, a guest or gone; language and zone; who runs the workspace
		"files:write",   // pictures with a give-back, and exports
	}
}

// appScopes are what the token of Socket Mode may.
func appScopes() []string { return []string{"connections:write"} }

// Events are what Slack tells the bot.
func Events() []string {
	return []string{
		"app_home_opened", "message.im", "member_joined_channel", "member_left_channel", "channel_left", "channel_archive", "channel_unarchive",
		"channel_deleted", "channel_rename", "channel_id_changed", "channel_shared", "channel_unshared", "group_left", "group_archive",
		"group_unarchive", "group_deleted", "group_rename", "app_uninstalled", "tokens_revoked",
	}
}

// needs are the scopes of every method that this package calls.
func needs() map[string][]string {
	rooms := []string{"channels:read", "groups:read"}
	return map[string][]string{
		"auth.test":                    nil,
		"blocks.validate":              nil,
		"apps.connections.open":        appScopes(),
		"chat.postMessage":             {"chat:write"},
		"chat.postEphemeral":           {"chat:write"},
		"chat.update":                  {"chat:write"},
		"conversations.open":           {"im:write"},
		"conversations.list":           {"im:read"},    // of direct conversations only
		"conversations.history":        {"im:history"}, // of direct conversations only
		"conversations.replies":        {"im:history"},
		"conversations.info":           rooms,
		"conversations.members":        rooms,
		"users.conversations":          rooms,
		"users.info":                   {"users:read"},
		"users.list":                   {"users:read"},
		"files.getUploadURLExternal":   {"files:write"},
		"files.completeUploadExternal": {"files:write"},
		"views.open":                   nil,
		"views.update":                 nil,
		"views.publish":                nil,
	}
}

// needsOf are the scopes of an event.
func needsOf(event string) []string {
	switch {
	case event == "message.im":
		return []string{"im:history"}
	case strings.HasPrefix(event, "member_"):
		return []string{"channels:read", "groups:read"}
	case strings.HasPrefix(event, "channel_"):
		return []string{"channels:read"}
	case strings.HasPrefix(event, "group_"):
		return []string{"groups:read"}
	}
	return nil
}

// The paths below the address that Slack is given for the HTTP transport.
const (
	pathEvents      = "/events"
	pathInteractive = "/interactive"
	pathCommands    = "/commands"
)

// slashCommand is what people type.
const slashCommand = "/weerklank"

// App is an app's manifest: what it is called, what it may and what it is told. An admin pastes it at api.slack.com/apps.
type App struct {
	Metadata struct {
		Major int `json:"major_version"`
		Minor int `json:"minor_version"`
	} `json:"_metadata"`
	Display struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Color       string `json:"background_color"`
		Long        string `json:"long_description"`
	} `json:"display_information"`
	Features struct {
		Home struct {
			Home     bool `json:"home_tab_enabled"`
			Messages bool `json:"messages_tab_enabled"`
			ReadOnly bool `json:"messages_tab_read_only_enabled"`
		} `json:"app_home"`
		Bot struct {
			Name   string `json:"display_name"`
			Online bool   `json:"always_online"`
		} `json:"bot_user"`
		Shortcuts []appShortcut `json:"shortcuts"`
		Commands  []appCommand  `json:"slash_commands"`
	} `json:"features"`
	OAuth struct {
		Scopes struct {
			Bot []string `json:"bot"`
		} `json:"scopes"`
	} `json:"oauth_config"`
	Settings struct {
		Events struct {
			URL string   `json:"request_url,omitempty"`
			Bot []string `json:"bot_events"`
		} `json:"event_subscriptions"`
		Interactivity struct {
			On  bool   `json:"is_enabled"`
			URL string `json:"request_url,omitempty"`
		} `json:"interactivity"`
		OrgDeploy bool `json:"org_deploy_enabled"`
		Socket    bool `json:"socket_mode_enabled"`
		Rotation  bool `json:"token_rotation_enabled"`
	} `json:"settings"`
}

type appShortcut struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Callback    string `json:"callback_id"`
	Description string `json:"description"`
}

type appCommand struct {
	Command     string `json:"command"`
	URL         string `json:"url,omitempty"`
	Description string `json:"description"`
	Hint        string `json:"usage_hint"`
	Escape      bool   `json:"should_escape"` // people and channels come as ids
}

// Manifest is the manifest of an app with this name. httpBase is the address below which Slack finds Adapter.Handler; empty:
// over Socket Mode it needs none.
func Manifest(name string, lang prompts.Lang, httpBase string) (*App, error) {
	say := func(key string) string { return locale.Say(lang, key) }
	a := &App{}
	a.Metadata.Major, a.Metadata.Minor = 2, 1
	a.Display.Name, a.Display.Color = name, "#1f3a5f"
	a.Display.Description, a.Display.Long = say("slack.app-description"), say("slack.app-long")
	a.Features.Home.Home, a.Features.Home.Messages = true, true
	a.Features.Bot.Name, a.Features.Bot.Online = botName(name), true
	a.Features.Shortcuts = []appShortcut{
		{say("slack.app-shortcut"), "global", shortcutAnswer, say("slack.app-shortcut-about")},
		{say("slack.app-message"), "message", shortcutAnswer + "-message", say("slack.app-message-about")},
	}
	a.Features.Commands = []appCommand{{Command: slashCommand, Description: say("slack.app-command"), Hint: say("slack.app-hint"), Escape: true}}
	a.OAuth.Scopes.Bot = Scopes()
	a.Settings.Events.Bot = Events()
	a.Settings.Interactivity.On = true
	a.Settings.Socket = httpBase == ""
	if base := strings.TrimRight(httpBase, "/"); base != "" {
		if u, err := url.Parse(base); err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, errors.New("slack: requests come to an address that begins with https://")
		}
		a.Settings.Events.URL, a.Settings.Interactivity.URL, a.Features.Commands[0].URL = base+pathEvents, base+pathInteractive, base+pathCommands
	}
	return a, a.check()
}

// botName is what people mention: small letters, without spaces.
func botName(name string) string {
	kept := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		case r == ' ':
			return '-'
		}
		return -1
	}, strings.ToLower(strings.TrimSpace(name)))
	if kept = strings.Trim(kept, "-_."); kept == "" {
		return "weerklank"
	}
	return kept
}

// check holds a manifest to what Slack takes.
func (a *App) check() error {
	in := newInspection()
	in.length("the name of the app", a.Display.Name, 1, 35)
	in.length("the description of the app", a.Display.Description, 1, 140)
	in.length("the long description of the app", a.Display.Long, 175, 4000)
	in.length("the name of the bot", a.Features.Bot.Name, 1, 80)
	names := map[string]bool{}
	for _, s := range a.Features.Shortcuts {
		in.length("the name of a shortcut", s.Name, 1, 24)
		in.length("the description of a shortcut", s.Description, 1, 150)
		in.id("the callback_id of a shortcut", s.Callback, names)
	}
	for _, c := range a.Features.Commands {
		in.length("a command", c.Command, 2, 32)
		in.length("the description of a command", c.Description, 1, 2000)
		in.length("the hint of a command", c.Hint, 0, 1000)
	}
	for _, list := range [][]string{a.OAuth.Scopes.Bot, a.Settings.Events.Bot} {
		if sorted := slices.Sorted(slices.Values(list)); len(slices.Compact(sorted)) != len(list) {
			in.note("a scope or event is there twice")
		}
	}
	return in.err()
}

// JSON is the manifest as JSON.
func (a *App) JSON() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(a)
	return out.Bytes(), err
}

// YAML is the manifest as YAML, in the same order. Texts stand between quotes, as JSON writes them, which YAML reads likewise.
func (a *App) YAML() ([]byte, error) {
	raw, err := a.JSON()
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	dec := json.NewDecoder(bytes.NewReader(raw))
	err = yamlValue(&out, dec, 0, false)
	return bytes.TrimPrefix(out.Bytes(), []byte("\n")), err
}

// yamlValue writes the next value of dec behind a key, or behind the dash of an item.
func yamlValue(out *bytes.Buffer, dec *json.Decoder, depth int, item bool) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	indent := strings.Repeat("  ", depth)
	switch t {
	case json.Delim('{'):
		for first := true; dec.More(); first = false {
			key, err := dec.Token()
			if err != nil {
				return err
			}
			if item && first {
				fmt.Fprintf(out, " %s:", key)
			} else {
				fmt.Fprintf(out, "\n%s%s:", indent, key)
			}
			if err := yamlValue(out, dec, depth+1, false); err != nil {
				return err
			}
		}
	case json.Delim('['):
		for dec.More() {
			fmt.Fprintf(out, "\n%s-", indent)
			if err := yamlValue(out, dec, depth+1, true); err != nil {
				return err
			}
		}
	default:
		var text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(t); err != nil {
			return err
		}
		fmt.Fprintf(out, " %s", bytes.TrimRight(text.Bytes(), "\n"))
		if depth == 0 {
			out.WriteByte('\n')
		}
		return nil
	}
	_, err = dec.Token()
	if depth == 0 {
		out.WriteByte('\n')
	}
	return err
}
