package prompts

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every field of an entry is in its table: one that is not would be lost in a table, and changed without anybody seeing.
func TestFieldsAreAll(t *testing.T) {
	l := builtinLibrary(t)
	p, w := l.Prompts[0], l.Tensions[0]
	full := Prompt{Image: &Image{}}
	fill(reflect.ValueOf(&full).Elem(), "x")
	full.Words = map[Lang]Words{Dutch: {}, English: {}}
	for lang := range full.Words {
		var words Words
		fill(reflect.ValueOf(&words).Elem(), "x-"+string(lang))
		full.Words[lang] = words
	}
	full.Image.Alt = Text{Dutch: "een brug", English: "a bridge"}
	var again Prompt
	for _, f := range promptFields() {
		if f.get(full) == "" {
			t.Errorf("%s reads nothing", f.name)
		}
		if err := f.set(&again, f.get(full)); err != nil {
			t.Errorf("%s: %v", f.name, err)
		}
	}
	if !reflect.DeepEqual(full, again) {
		t.Errorf("lost:\n%+v\n%+v", full, again)
	}
	tension := Tension{}
	fill(reflect.ValueOf(&tension).Elem(), "x")
	for _, at := range []*Text{&tension.Label, &tension.Short, &tension.A, &tension.B, &tension.ProtectsA, &tension.ProtectsB} {
		*at = Text{Dutch: "nl", English: "en"}
	}
	tension.Definitions = map[Lang]Definition{Dutch: {}, English: {}}
	for lang := range tension.Definitions {
		var d Definition
		fill(reflect.ValueOf(&d).Elem(), "x-"+string(lang))
		tension.Definitions[lang] = d
	}
	if got := (Tension{}); true {
		for _, f := range tensionFields() {
			if err := f.set(&got, f.get(tension)); err != nil || f.get(tension) == "" {
				t.Errorf("%s: %v", f.name, err)
			}
		}
		if !reflect.DeepEqual(tension, got) {
			t.Errorf("lost:\n%+v\n%+v", tension, got)
		}
	}
	value, audience := Value{"v", Text{Dutch: "nl", English: "en"}, true}, Audience{"a", Text{Dutch: "nl", English: "en"}, true}
	if got := value.Tidy(); !reflect.DeepEqual(got, value) || len(value.Fields()) != 4 {
		t.Errorf("%+v", got)
	}
	if got := audience.Tidy(); !reflect.DeepEqual(got, audience) || len(audience.Fields()) != 4 {
		t.Errorf("%+v", got)
	}
	// A tidy copy is nobody else's.
	copied := p.Tidy()
	copied.Words[Dutch] = Words{Title: "changed"}
	if p.Words[Dutch].Title == "changed" {
		t.Error("a tidy copy shares its words")
	}
	if got := w.Tidy(); got.Sense() != w.Sense() || got.Words() != w.Words() {
		t.Error("a tidy tension says something else")
	}
}

// fill puts something in every plain field.
func fill(v reflect.Value, s string) {
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.String:
			f.SetString(s + strconv.Itoa(i))
		case reflect.Int:
			f.SetInt(int64(i + 1))
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Slice:
			one := reflect.MakeSlice(f.Type(), 2, 2)
			for j := range 2 {
				if e := one.Index(j); e.Kind() == reflect.Int {
					e.SetInt(int64(j + 1))
				} else {
					e.SetString(s + strconv.Itoa(j))
				}
			}
			f.Set(one)
		case reflect.Pointer:
			if !f.IsNil() {
				fill(f.Elem(), s)
			}
		}
	}
}

// The built-in library is tidy as it stands: nothing in it changes by being read and written.
func TestBuiltinIsTidy(t *testing.T) {
	l := builtinLibrary(t)
	for _, p := range l.Prompts {
		if !Same(p, p.Tidy()) {
			t.Errorf("%s is not tidy", p.ID)
		}
	}
	for _, w := range l.Tensions {
		if !sameJSON(w, w.Tidy()) {
			t.Errorf("%s is not tidy", w.ID)
		}
	}
}

func TestMergeThreeWays(t *testing.T) {
	base := aDilemma(t)
	title := func(s string) func(*Prompt) { return words(func(w *Words) { w.Title = s }) }
	text := func(s string) func(*Prompt) { return words(func(w *Words) { w.Text = s }) }
	for _, c := range []struct {
		name         string
		mine, theirs func(*Prompt)
		clash        []string
		want         func(*Prompt) // on top of mine
	}{
		{"neither", func(*Prompt) {}, func(*Prompt) {}, nil, func(*Prompt) {}},
		{"only mine", title("Mijn titel"), func(*Prompt) {}, nil, func(*Prompt) {}},
		{"only theirs", func(*Prompt) {}, title("Hun titel"), nil, title("Hun titel")},
		{"each another field", title("Mijn titel"), text("Hun tekst."), nil, text("Hun tekst.")},
		{"both alike", title("Zelfde"), title("Zelfde"), nil, func(*Prompt) {}},
		{"both the same field", title("Mijn titel"), title("Hun titel"), []string{"nl.title"}, func(*Prompt) {}},
		{"a list and a text", func(p *Prompt) { p.Audience = []AudienceID{Everyone} }, text("Hun tekst."), nil, text("Hun tekst.")},
		{"both the same list", func(p *Prompt) { p.Themes = []string{"a"} }, func(p *Prompt) { p.Themes = []string{"b"} }, []string{"themes"}, func(*Prompt) {}},
		{"they took a language away", title("Mijn titel"), func(p *Prompt) { delete(p.Words, English) }, nil, func(p *Prompt) { delete(p.Words, English) }},
		{"they retired it", title("Mijn titel"), func(p *Prompt) { p.Status = Retired }, nil, func(p *Prompt) { p.Status = Retired }},
		{"mine is a draft", func(p *Prompt) { title("Mijn titel")(p); p.Status = Draft; p.Revision = 9 }, func(p *Prompt) { text("Hun tekst.")(p); p.Revision = 2 }, nil, text("Hun tekst.")},
	} {
		t.Run(c.name, func(t *testing.T) {
			mine, theirs := base.Tidy(), base.Tidy()
			c.mine(&mine)
			c.theirs(&theirs)
			want := mine.Tidy()
			c.want(&want)
			got, clash := Merge(base, mine, theirs)
			if !Same(got, want) || !slices.Equal(clash, c.clash) {
				t.Errorf("clash %v\ngot  %+v\nwant %+v", clash, got, want)
			}
		})
	}
	tension := builtinLibrary(t).Tensions[0]
	mine, theirs := tension.Tidy(), tension.Tidy()
	mine.Label, mine.Formerly = Text{Dutch: "Anders", English: "Other"}, []string{"one"}
	theirs.Short, theirs.Formerly = Text{Dutch: "Kort", English: "Short"}, []string{"two"}
	got, clash := MergeTension(tension, mine, theirs)
	if got.Label[Dutch] != "Anders" || got.Short[English] != "Short" || !slices.Equal(got.Formerly, []string{"one", "two"}) || len(clash) > 0 {
		t.Errorf("%+v %v", got, clash)
	}
}

// What Validate says, it says in Dutch too; what it says nowhere has no Dutch.
func TestProblemsSpeakBothLanguages(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	said := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		tree, err := parser.ParseFile(token.NewFileSet(), file, raw, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 2 {
				return true
			}
			arg := 1
			switch f := call.Fun.(type) {
			case *ast.SelectorExpr:
				if f.Sel.Name != "note" {
					return true
				}
			case *ast.Ident:
				if arg = 2; f.Name != "syntax" {
					return true
				}
			default:
				return true
			}
			if lit, ok := call.Args[arg].(*ast.BasicLit); ok {
				format, _ := strconv.Unquote(lit.Value)
				said++
				if dutch[format] == "" {
					t.Errorf("%s: %q has no Dutch", file, format)
				}
			}
			return true
		})
	}
	if said < 60 {
		t.Errorf("found %d problems only", said)
	}
	for en, nl := range dutch {
		verbs := func(s string) (out []string) {
			for i := range len(s) - 1 {
				if s[i] == '%' {
					out = append(out, s[i:i+2])
				}
			}
			return out
		}
		if !slices.Equal(verbs(en), verbs(nl)) || en == nl && en != "%s" {
			t.Errorf("%q and %q differ in their values", en, nl)
		}
	}
	if p := NewProblem("prompt", "a", "nl.title", "has %d characters; at most %d", 80, 75); p.Line(Dutch) != "prompt a: nl.title: heeft 80 tekens; hoogstens 75" ||
		p.Error() != "prompt a: nl.title: has 80 characters; at most 75" {
		t.Errorf("%+v", p)
	}
}

func TestDraftsMayHaveGaps(t *testing.T) {
	l := builtinLibrary(t)
	bare := Prompt{ID: "new-one", Revision: 1, Family: "new-one", Kind: Dilemma, Phase: PhaseOpen, Status: Draft, Source: SourceOriginal, Intensity: 1, CooldownWeeks: 52}
	l.Prompts = append(l.Prompts, bare)
	if got := problems(t, l); got != nil {
		t.Errorf("a bare draft: %v", got)
	}
	bare.Words = map[Lang]Words{Dutch: {Title: "Alleen een titel"}}
	l.Prompts[len(l.Prompts)-1] = bare
	if got := problems(t, l); got != nil {
		t.Errorf("a draft with a title: %v", got)
	}
	bare.Words = map[Lang]Words{Dutch: {Followups: []string{"a", "b", "c"}}}
	bare.Tensions, bare.Themes = []TensionID{"a", "b"}, []string{"x, y"}
	l.Prompts[len(l.Prompts)-1] = bare
	if got := problems(t, l); len(got) != 5 {
		t.Errorf("what is there is right all the same: %v", got)
	}
}

func TestPlaces(t *testing.T) {
	raw := "schema = 1\n\n[[value]]\nid = \"care\"\nnl = \"zorg\"\n\n[[prompt]]\n  id = \"a\"\nrevision = 1\n\n  [prompt.nl]\n  title = \"\"\"x\n[[prompt]]\n\"\"\"\n  text = \"y\"\n[[prompt]]\nid = 'b'\nimage.path = 'x'\n"
	l, places, err := Read(strings.NewReader(raw))
	if err != nil || len(l.Prompts) != 2 {
		t.Fatal(err)
	}
	for _, c := range []struct {
		table, id, field string
		want             Place
	}{
		{"value", "care", "id", Place{4, 1}}, {"value", "care", "nl.name", Place{3, 3}}, {"prompt", "a", "revision", Place{9, 1}},
		{"prompt", "a", "nl.text", Place{15, 3}}, {"prompt", "a", "audience", Place{7, 3}}, {"prompt", "b", "image.path", Place{18, 1}},
	} {
		if at, ok := places.Of(c.table, c.id, c.field); !ok || at != c.want {
			t.Errorf("%s %s %s at %+v", c.table, c.id, c.field, at)
		}
	}
	if _, ok := places.Of("prompt", "c", "id"); ok {
		t.Error("found what is not there")
	}
}
