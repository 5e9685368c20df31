// Package weerklank_test holds the rules that no single package can: who imports whom, what is documented, what never
// lands in a record or a log.
package weerklank_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/weerklank/weerklank/bot"
	"github.com/weerklank/weerklank/bot/locale"
	"github.com/weerklank/weerklank/prompts"
)

const module = "github.com/weerklank/weerklank"

// allowed is the house: what each package may import of ours, and from outside.
var allowed = map[string]struct{ ours, outside []string }{
	"prompts":    {nil, []string{"github.com/pelletier/go-toml/v2", "github.com/pelletier/go-toml/v2/unstable"}},
	"bot/locale": {[]string{"prompts"}, []string{"github.com/pelletier/go-toml/v2"}},
	"bot": {[]string{"prompts", "bot/locale", "bot/seasonpic"}, []string{
		"github.com/blevesearch/snowballstem", "github.com/blevesearch/snowballstem/dutch", "github.com/blevesearch/snowballstem/english",
		"github.com/robfig/cron/v3", "golang.org/x/text/unicode/norm",
	}},
	"bot/seasonpic": {[]string{"bot/locale", "prompts"}, []string{
		"golang.org/x/image/font", "golang.org/x/image/font/gofont/gobold", "golang.org/x/image/font/gofont/goregular", "golang.org/x/image/font/sfnt",
		"golang.org/x/image/math/fixed", "golang.org/x/image/vector", "golang.org/x/text/unicode/norm",
	}},
	"bot/workspace": {[]string{"bot", "bot/locale", "prompts"}, nil},
	"bot/editor":    {[]string{"bot", "bot/locale", "prompts"}, nil},
	"bot/mattermost": {[]string{"bot", "bot/locale", "prompts"}, []string{
		"github.com/gorilla/websocket", "github.com/mattermost/mattermost/server/public/model", "golang.org/x/time/rate",
	}},
	"bot/slack": {[]string{"bot", "bot/locale", "prompts"}, []string{
		"github.com/gorilla/websocket", "github.com/slack-go/slack", "github.com/slack-go/slack/socketmode", "golang.org/x/time/rate",
	}},
	"bot/mattermost/mattermosttest": {nil, []string{"github.com/gorilla/websocket"}},
	"bot/slack/slacktest":           {nil, nil},
	"bot/chattest":                  {[]string{"bot", "prompts"}, nil},
	"store":                         {[]string{"bot", "prompts"}, []string{"go.etcd.io/bbolt", "go.etcd.io/bbolt/errors", "golang.org/x/sys/unix"}},
	"bot/scorertest":                {[]string{"bot", "prompts"}, nil},
	"store/storetest":               {[]string{"bot", "prompts"}, nil},
	"cmd/weerklank": {[]string{"bot", "bot/editor", "bot/locale", "bot/mattermost", "bot/slack", "bot/workspace", "prompts", "store"}, []string{
		"filippo.io/age", "github.com/pelletier/go-toml/v2", "golang.org/x/sys/unix", "github.com/prometheus/client_golang/prometheus",
		"github.com/prometheus/client_golang/prometheus/collectors", "github.com/prometheus/client_golang/prometheus/promhttp",
	}},
}

// banned are standard packages that would break a package's promise.
var banned = map[string][]string{
	"prompts":       {"net", "net/http", "os", "database/sql"},
	"bot/locale":    {"net", "net/http", "os"},
	"bot":           {"net", "net/http", "os", "database/sql"},
	"bot/seasonpic": {"net", "net/http", "os", "time", "math/rand/v2"},
	"store":         {"crypto/aes", "crypto/cipher", "crypto/hmac", "crypto/sha256", "crypto/rand", "net/http"}, // TRUST A34
}

type pkg struct {
	ImportPath string
	Doc        string
	Imports    []string
}

func listPackages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Doc,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	dec := json.NewDecoder(strings.NewReader(string(out)))
	for dec.More() {
		var p pkg
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// imports says what is wrong with one package's imports.
func imports(p pkg) []string {
	name := strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
	rule, ok := allowed[name]
	if !ok {
		return []string{name + " is not in the house"}
	}
	var wrong []string
	for _, i := range p.Imports {
		own, isOurs := strings.CutPrefix(i, module+"/")
		switch {
		case isOurs && !slices.Contains(rule.ours, own):
			wrong = append(wrong, name+" imports "+own)
		case !isOurs && strings.Contains(strings.Split(i, "/")[0], ".") && !slices.Contains(rule.outside, i):
			wrong = append(wrong, name+" imports "+i)
		case slices.Contains(banned[name], i) || i == "C":
			wrong = append(wrong, name+" imports "+i)
		}
	}
	return wrong
}

func TestHouse(t *testing.T) {
	seen := 0
	for _, p := range listPackages(t) {
		if p.ImportPath == module {
			continue // this package of tests
		}
		seen++
		for _, w := range imports(p) {
			t.Error(w)
		}
		if len(p.Doc) < 30 {
			t.Errorf("%s does not say what it is", p.ImportPath)
		}
	}
	if seen != len(allowed) {
		t.Errorf("%d packages, %d in the house", seen, len(allowed))
	}
	for _, planted := range []pkg{
		{ImportPath: module + "/bot", Imports: []string{"net/http"}}, {ImportPath: module + "/store", Imports: []string{"crypto/aes"}},
		{ImportPath: module + "/prompts", Imports: []string{module + "/bot"}}, {ImportPath: module + "/util"},
		{ImportPath: module + "/bot/workspace", Imports: []string{"go.etcd.io/bbolt"}},
		{ImportPath: module + "/cmd/weerklank", Imports: []string{"github.com/mattermost/mattermost/server/public/model"}},
		{ImportPath: module + "/bot/mattermost", Imports: []string{module + "/store"}}, {ImportPath: module + "/bot/seasonpic", Imports: []string{module + "/bot"}},
	} {
		if len(imports(planted)) == 0 {
			t.Errorf("planted violation passed: %+v", planted)
		}
	}
}

// The top of the house holds what it says and nothing else; dependencies are exact, never replaced.
func TestTopLevel(t *testing.T) {
	known := strings.Fields("cmd bot prompts store docs go.mod go.sum README.md LEESMIJ.md CONTRIBUTING.md LICENSE config.example.toml arch_test.go .ci .github .gitignore .git")
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	ignored, err := os.ReadFile(".gitignore")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(known, e.Name()) && !strings.Contains(string(ignored), "/"+e.Name()) {
			t.Errorf("%s is not in the house", e.Name())
		}
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mod), "replace ") || !strings.Contains(string(mod), "\ngo 1.26") {
		t.Error("go.mod replaces a dependency, or is not for Go 1.26")
	}
}

// source parses every Go file of the module.
func source(t *testing.T) map[string]*ast.File {
	t.Helper()
	files := map[string]*ast.File{}
	set := token.NewFileSet()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".go") {
			f, err := parser.ParseFile(set, path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			files[filepath.ToSlash(path)] = f
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// calls says which forbidden calls stand in a file.
func calls(path string, f *ast.File) []string {
	places := map[string]string{ // the one place where a call may stand
		"os.Exit": "cmd/weerklank/main.go", "signal.NotifyContext": "cmd/weerklank/main.go", "signal.Notify": "-", "context.WithValue": "-",
		"time.Tick": "-", "http.DefaultClient": "-", "http.Get": "-", "http.Post": "-", "fmt.Print": "-", "fmt.Println": "-", "fmt.Printf": "-",
	}
	var wrong []string
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "init" && n.Recv == nil {
				wrong = append(wrong, path+": init")
			}
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				name := x.Name + "." + n.Sel.Name
				if place, ok := places[name]; ok && place != path && !strings.HasSuffix(path, "_test.go") {
					wrong = append(wrong, path+": "+name)
				}
				if name == "time.Sleep" && !strings.HasSuffix(path, "_test.go") {
					wrong = append(wrong, path+": time.Sleep")
				}
			}
		}
		return true
	})
	return wrong
}

func TestForbiddenCalls(t *testing.T) {
	for path, f := range source(t) {
		for _, w := range calls(path, f) {
			t.Error(w)
		}
	}
	planted, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x\nfunc init() { os.Exit(1); time.Sleep(1); context.WithValue(a, b, c) }", 0)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(calls("bot/x.go", planted)); n != 4 {
		t.Errorf("%d planted violations found, want 4", n)
	}
}

func TestExportedNamesAreDocumentedAndInterfacesSmall(t *testing.T) {
	for path, f := range source(t) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || exportedReceiver(d)) && !slices.Contains([]string{"Error", "Unwrap", "Write", "String"}, d.Name.Name) {
					t.Errorf("%s: %s has no comment", path, d.Name.Name)
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					s, ok := s.(*ast.TypeSpec)
					if !ok {
						continue
					}
					if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
						t.Errorf("%s: %s has no comment", path, s.Name.Name)
					}
					if i, ok := s.Type.(*ast.InterfaceType); ok && len(i.Methods.List) > 4 && s.Name.Name != "Store" {
						t.Errorf("%s: %s has %d methods", path, s.Name.Name, len(i.Methods.List))
					}
				}
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	e := d.Recv.List[0].Type
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	id, ok := e.(*ast.Ident)
	return ok && id.IsExported()
}

// people finds accounts in a type, by the path of fields that leads there.
func people(typ reflect.Type, path string, actorsOK bool, seen map[reflect.Type]bool) []string {
	if seen[typ] {
		return nil
	}
	seen[typ] = true
	defer delete(seen, typ)
	switch {
	case typ == reflect.TypeFor[bot.UserID]():
		return []string{path + " holds a UserID"}
	case typ == reflect.TypeFor[bot.ActorID]() && !actorsOK:
		return []string{path + " holds an ActorID"}
	case typ == reflect.TypeFor[bot.ReplyText]():
		return []string{path + " holds a reply's text"}
	}
	var out []string
	switch typ.Kind() {
	case reflect.Struct:
		for f := range typ.Fields() {
			out = append(out, people(f.Type, path+"."+f.Name, actorsOK, seen)...)
		}
	case reflect.Pointer, reflect.Slice, reflect.Array:
		out = people(typ.Elem(), path, actorsOK, seen)
	case reflect.Map:
		out = append(people(typ.Key(), path, actorsOK, seen), people(typ.Elem(), path, actorsOK, seen)...)
	}
	return out
}

func TestNoUserInARecord(t *testing.T) {
	for typ, actors := range map[reflect.Type]bool{
		reflect.TypeFor[bot.Team](): true, reflect.TypeFor[bot.AuditEntry](): true, reflect.TypeFor[bot.Post](): true,
		reflect.TypeFor[bot.OwnEntry](): true, reflect.TypeFor[bot.OwnPast](): true, reflect.TypeFor[bot.Content](): false,
		reflect.TypeFor[bot.Round](): false, reflect.TypeFor[bot.Tally](): false, reflect.TypeFor[bot.Message](): false,
		reflect.TypeFor[bot.SealedReply](): false, reflect.TypeFor[bot.SealedBallot](): false, reflect.TypeFor[bot.Slip](): false, reflect.TypeFor[prompts.Prompt](): false,
	} {
		for _, w := range people(typ, typ.Name(), actors, map[reflect.Type]bool{}) {
			t.Error(w)
		}
	}
	if reply := reflect.TypeFor[bot.Reply](); true {
		for f := range reply.Fields() {
			if f.Type.String() == "time.Time" || strings.Contains(f.Name, "Lang") {
				t.Errorf("a reply has %s", f.Name)
			}
		}
	}
	// An agreement may name the manager it was passed on to, and nobody else: it has no author.
	if got := people(reflect.TypeFor[bot.Agreement](), "Agreement", false, map[reflect.Type]bool{}); !slices.Equal(got, []string{"Agreement.To holds an ActorID"}) {
		t.Errorf("%q", got)
	}
	type planted struct{ Who map[string][]bot.UserID }
	if len(people(reflect.TypeFor[planted](), "planted", true, map[reflect.Type]bool{})) == 0 {
		t.Error("planted violation passed")
	}
}

// An account and a text show themselves to no formatter, logger or encoder.
func TestSecretsPrintAsMarks(t *testing.T) {
	user, text := bot.Account("slack", "T1", "U-SECRET"), bot.ReplyText("TOP-SECRET")
	reply := bot.Reply{Text: text}
	event := bot.DirectReply{From: bot.From{User: user}, Text: text}
	var log strings.Builder
	logger := slog.New(slog.NewJSONHandler(&log, nil))
	logger.Info("x", "user", user, "text", text, "reply", reply, "event", event, "actor", user.Actor())
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "user", user, "text", text, "actor", user.Actor())
	var out strings.Builder
	out.WriteString(log.String())
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		out.WriteString(fmt.Sprintf(verb+verb+verb+verb, user, text, reply, event))
	}
	raw, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	out.WriteString(string(raw))
	if _, err := json.Marshal(user); err == nil {
		t.Error("an account was marshalled")
	}
	for _, secret := range []string{"U-SECRET", "TOP-SECRET", "544f502d", "552d534543524554"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s shows in %s", secret, &out)
		}
	}
}

// sentences counts the words of a text's sentences.
func sentences(text string) (words []int) {
	for _, s := range regexp.MustCompile(`[.?:;]\s+|[\n|]`).Split(strings.ReplaceAll(text, "**", ""), -1) {
		n := 0
		for w := range strings.FieldsSeq(s) {
			if strings.ContainsFunc(w, unicode.IsLetter) {
				n++
			}
		}
		if n > 0 {
			words = append(words, n)
		}
	}
	return words
}

// What people read in chat is short: in Dutch twelve words a sentence on average, never more than twenty (TRUST P7).
func TestSentencesAreShort(t *testing.T) {
	total, count := 0, 0
	for _, key := range locale.Keys() {
		if strings.HasPrefix(key, "cli.") { // for operators
			continue
		}
		for _, n := range sentences(locale.Text(prompts.Dutch, key)) {
			if n > 20 {
				t.Errorf("%s has a sentence of %d words", key, n)
			}
			total, count = total+n, count+1
		}
	}
	if mean := float64(total) / float64(count); mean > 12 {
		t.Errorf("%.1f words a sentence", mean)
	}
	if got := sentences("Een twee drie. Vier: vijf zes?"); !slices.Equal(got, []int{3, 1, 2}) {
		t.Errorf("%v", got)
	}
}

// keyLike finds catalogue keys in a string literal.
var keyLike = regexp.MustCompile(`^(propose|desk|common|reply|follow|round|team|cmd|me|vote|giveback|guide|season|agree|word|why|rhythm|privacy|hint|heavy|home|ws|web|mm|slack|cli)\.[a-z0-9-]*[a-z0-9]$`)

func TestCatalogue(t *testing.T) {
	if err := locale.Check(); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for path, f := range source(t) {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && keyLike.MatchString(s) {
					used[s] = true
				}
			}
			return true
		})
	}
	known := locale.Keys()
	for key := range used {
		if !slices.Contains(known, key) {
			t.Errorf("%s is used and not in the catalogue", key)
		}
	}
	page, err := fs.ReadFile(os.DirFS("bot/workspace"), "page.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\.T "([a-z0-9-]+)"`).FindAllStringSubmatch(string(page), -1) {
		used["ws."+m[1]] = true
		if !slices.Contains(known, "ws."+m[1]) {
			t.Errorf("ws.%s is used and not in the catalogue", m[1])
		}
	}
	pages, err := filepath.Glob("bot/editor/templates/*.html")
	if err != nil || len(pages) == 0 {
		t.Fatalf("%d pages of the library: %v", len(pages), err)
	}
	for _, path := range pages {
		page, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\.(?:T|Say) "([a-z0-9-]+)"`).FindAllStringSubmatch(string(page), -1) {
			used["web."+m[1]] = true
			if !slices.Contains(known, "web."+m[1]) {
				t.Errorf("web.%s is used and not in the catalogue", m[1])
			}
		}
	}
	bannedWords := []string{"100%", "100 %", "anoniem", "anonymous", "niemand kan ooit", "nobody can ever", "leuk", " fun "}
	for _, key := range known {
		if !used[key] && !strings.HasPrefix(key, "cli.usage-") {
			t.Errorf("%s is not used", key)
		}
		for _, lang := range prompts.Langs() {
			text := locale.Text(lang, key)
			for _, b := range bannedWords {
				if key == "heavy.suicide" { // of the helpline, for which it is true
					continue
				}
				if strings.Contains(strings.ToLower(text), b) {
					t.Errorf("%s.%s says %q", key, lang, b)
				}
			}
			if strings.Contains(text, "!") || strings.ContainsFunc(text, func(r rune) bool { return r >= 0x1f000 }) {
				t.Errorf("%s.%s has an exclamation mark or an emoji", key, lang)
			}
			switch {
			case strings.HasPrefix(key, "web."): // pages have room
			case strings.HasSuffix(key, "-title") && !strings.HasPrefix(key, "ws.") || strings.HasSuffix(key, "-submit") || key == "team.form-on" || key == "team.form-settings":
				if len([]rune(text)) > 24 { // the tightest platform's form
					t.Errorf("%s.%s is longer than a form title", key, lang)
				}
			}
		}
	}
}

// Every requirement has its row, every test named there exists, and every promise of the texts leads to requirements that
// are there (TRUST A33).
func TestRequirements(t *testing.T) {
	page, err := os.ReadFile("docs/requirements.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for path, f := range source(t) {
		if !strings.HasSuffix(path, "_test.go") {
			continue
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				tests[fn.Name.Name] = true
			}
		}
	}
	held, promises := map[string]string{}, map[string]string{}
	for line := range strings.SplitSeq(string(page), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		switch {
		case len(cells) == 3 && regexp.MustCompile(`^[APDS]\d+$`).MatchString(cells[0]):
			held[cells[0]] = cells[2]
		case len(cells) == 2 && strings.HasPrefix(cells[0], "me."):
			promises[cells[0]] = cells[1]
		}
	}
	for kind, last := range map[string]int{"A": 38, "P": 13, "D": 17, "S": 17} {
		for n := 1; n <= last; n++ {
			id := kind + strconv.Itoa(n)
			by, ok := held[id]
			names := regexp.MustCompile(`\b(Test|Fuzz|Benchmark)[A-Z]\w*`).FindAllString(by, -1)
			if !ok || len(names) == 0 && !strings.Contains(by, "later") {
				t.Errorf("%s: nothing holds it", id)
			}
			for _, name := range names {
				if !tests[name] {
					t.Errorf("%s: there is no %s", id, name)
				}
			}
		}
	}
	for _, key := range locale.Keys() {
		if !strings.HasPrefix(key, "me.") {
			continue
		}
		ids, ok := promises[key]
		if promise := regexp.MustCompile(`^me\.(name|locked|minimum|fewer|shuffled|manager|keys|kept|choice|typed|form|operator|read-back)$`); promise.MatchString(key) && !ok {
			t.Errorf("%s leads to no requirement", key)
		}
		for id := range strings.FieldsSeq(ids) {
			if held[id] == "" {
				t.Errorf("%s names %s, which is not there", key, id)
			}
		}
	}
}
