package slack

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/weerklank/weerklank/prompts"
)

// methodsOf are the methods behind the library's functions that make calls.
func methodsOf() map[string]string {
	return map[string]string{
		"AuthTestContext": "auth.test", "GetUserInfoContext": "users.info", "GetUsersPaginated": "users.list",
		"GetUsersInConversationContext": "conversations.members", "GetConversationInfoContext": "conversations.info",
		"GetConversationsForUserContext": "users.conversations", "GetConversationsContext": "conversations.list",
		"GetConversationHistoryContext": "conversations.history", "GetConversationRepliesContext": "conversations.replies", "OpenConversationContext": "conversations.open",
		"PostMessageContext": "chat.postMessage", "PostEphemeralContext": "chat.postEphemeral", "UpdateMessageContext": "chat.update",
		"GetUploadURLExternalContext": "files.getUploadURLExternal", "CompleteUploadExternalContext": "files.completeUploadExternal", "UploadToURL": "",
		"OpenViewContext": "views.open", "UpdateViewContext": "views.update", "PublishViewContext": "views.publish",
	}
}

// called finds the methods of the Web API that a file calls: by name through call and ask, and by the library's functions.
func called(t *testing.T, f *ast.File) (out []string) {
	name := regexp.MustCompile(`^[a-z]+(\.[a-zA-Z]+)+$`)
	ast.Inspect(f, func(n ast.Node) bool {
		c, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		s, ok := c.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if s.Sel.Name == "call" || s.Sel.Name == "ask" {
			for _, arg := range c.Args {
				if lit, ok := arg.(*ast.BasicLit); ok {
					if v, err := strconv.Unquote(lit.Value); err == nil && name.MatchString(v) {
						out = append(out, v)
					}
				}
			}
		}
		from := ""
		switch x := s.X.(type) {
		case *ast.SelectorExpr:
			from = x.Sel.Name
		case *ast.CallExpr:
		}
		if from == "api" || from == "uploads" {
			method, known := methodsOf()[s.Sel.Name]
			if !known {
				t.Errorf("which method is behind %s", s.Sel.Name)
			}
			if method != "" {
				out = append(out, method)
			}
		}
		return true
	})
	return out
}

func sources(t *testing.T) (all []*ast.File) {
	t.Helper()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, f)
	}
	return all
}

// The manifest asks exactly the scopes that the calls, events and features of this package need.
func TestScopesAreWhatTheCodeNeeds(t *testing.T) {
	methods := map[string]bool{methodOpen: true} // which the library's Socket Mode calls
	for _, f := range sources(t) {
		for _, m := range called(t, f) {
			methods[m] = true
		}
	}
	if got, want := slices.Sorted(maps.Keys(methods)), slices.Sorted(maps.Keys(needs())); !slices.Equal(got, want) {
		t.Errorf("called:\n%v\nin the table:\n%v", got, want)
	}
	need := map[string]bool{"commands": true} // the command and the shortcuts
	for _, scopes := range needs() {
		for _, s := range scopes {
			need[s] = true
		}
	}
	for _, s := range appScopes() {
		delete(need, s)
	}
	for _, e := range Events() {
		for _, s := range needsOf(e) {
			if !need[s] {
				t.Errorf("%s needs %s, which no call does", e, s)
			}
		}
	}
	if got, want := slices.Sorted(slices.Values(Scopes())), slices.Sorted(maps.Keys(need)); !slices.Equal(got, want) {
		t.Errorf("asked for:\n%v\nneeded:\n%v", got, want)
	}
	planted, err := parser.ParseFile(token.NewFileSet(), "x.go", `package x; func f() { a.w.call(ctx, "chat.delete", "", nil); k.ask(ctx, "team.info", t) }`, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := called(t, planted); !slices.Equal(got, []string{"chat.delete", "team.info"}) {
		t.Errorf("planted calls: %v", got)
	}
}

// The bot gets the events that the decoder knows, and no others.
func TestEventsAreWhatTheCodeKnows(t *testing.T) {
	var known []string
	for _, e := range slices.Sorted(slices.Values(eventTypes())) {
		switch e {
		case "message":
			known = append(known, "message.im")
		case "app_rate_limited": // comes unasked
		default:
			known = append(known, e)
		}
	}
	if got := slices.Sorted(slices.Values(Events())); !slices.Equal(got, slices.Sorted(slices.Values(known))) {
		t.Errorf("asked for:\n%v\nknown:\n%v", got, known)
	}
}

// The manifest keeps to Slack's limits in both languages and over both transports; JSON and YAML say the same.
func TestManifest(t *testing.T) {
	for _, lang := range prompts.Langs() {
		for transport, base := range map[string]string{"socket": "", "http": "https://bot.example.org/slack"} {
			a, err := Manifest("Weerklank", lang, base)
			if err != nil {
				t.Fatal(err)
			}
			asJSON, err := a.JSON()
			if err != nil {
				t.Fatal(err)
			}
			asYAML, err := a.YAML()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "manifest-"+transport+"."+string(lang)+".json", string(asJSON))
			golden(t, "manifest-"+transport+"."+string(lang)+".yaml", string(asYAML))
			var one, other any
			if err := json.Unmarshal(asJSON, &one); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal(asYAML, &other); err != nil {
				t.Fatal(err)
			}
			raw, err := json.Marshal(other)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(raw, &other); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(one, other) {
				t.Errorf("%s, %s: YAML says something else", lang, transport)
			}
			if a.Settings.Socket != (base == "") || strings.Contains(string(asJSON), `"request_url"`) != (base != "") || a.Settings.Rotation || a.Features.Home.ReadOnly || !a.Features.Home.Messages {
				t.Errorf("%s, %s: %+v", lang, transport, a.Settings)
			}
		}
	}
	for name, make := range map[string]func() (*App, error){
		"a long name": func() (*App, error) { return Manifest(strings.Repeat("w", 36), prompts.Dutch, "") },
		"no name":     func() (*App, error) { return Manifest("", prompts.Dutch, "") },
		"http":        func() (*App, error) { return Manifest("W", prompts.Dutch, "http://bot.example.org") },
		"no host":     func() (*App, error) { return Manifest("W", prompts.Dutch, "https:///slack") },
	} {
		if _, err := make(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for name, want := range map[string]string{"Weerklank": "weerklank", "Weerklank Noord": "weerklank-noord", "!!": "weerklank", "Wéér": "wr"} {
		if got := botName(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// The guides say of every scope what it is for.
func TestGuidesExplainScopes(t *testing.T) {
	for _, name := range []string{"slack.md", "slack.nl.md"} {
		page, err := os.ReadFile(filepath.Join("..", "..", "docs", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range slices.Concat(Scopes(), appScopes()) {
			if !strings.Contains(string(page), "| `"+s+"` |") {
				t.Errorf("%s does not say what %s is for", name, s)
			}
		}
	}
}
