package prompts

import (
	"bytes"
	"errors"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// builtinLibrary is the library that comes with the program.
func builtinLibrary(t testing.TB) Library {
	t.Helper()
	l, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestBuiltin(t *testing.T) {
	l := builtinLibrary(t)
	if err := l.Validate(); err != nil {
		t.Error(err)
	}
	if len(l.Tensions) != 5 || len(l.Values) != 6 || len(l.Audiences) != 10 {
		t.Errorf("%d tensions, %d values, %d audiences", len(l.Tensions), len(l.Values), len(l.Audiences))
	}
	count, everyones := map[Kind]int{}, 0
	for _, p := range l.Prompts {
		count[p.Kind]++
		if p.Kind == Dilemma && slices.Contains(p.Audience, Everyone) {
			everyones++
		}
		if p.Status != Active {
			t.Errorf("%s is %s", p.ID, p.Status)
		}
	}
	if count[Dilemma] < 60 || count[Appreciative] < 7 || count[Practice] < 7 || count[ValuePrompt] < 4 || count[LookBack] < 2 || everyones < 12 {
		t.Errorf("too few of a kind: %v, %d dilemmas for every team", count, everyones)
	}
	l.Prompts[0].ID = "changed"
	if again := builtinLibrary(t); again.Prompts[0].ID == "changed" {
		t.Error("the caller's list is everybody's")
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, c := range []struct {
		name, file string
		want       []string
	}{
		{"nothing", "", []string{"schema is 0", "put `schema = 1`"}},
		{"another schema", "schema = 2\n", []string{"schema is 2"}},
		{"an unknown key", "schema = 1\n[[prompt]]\nid = \"a\"\ntitel = \"b\"\n", []string{"row 4, column 1: unknown key prompt.titel"}},
		{"three unknown keys", "schema = 1\nx = 1\n[library]\ny = 2\n[[tension]]\nz = 3\n",
			[]string{"row 2, column 1: unknown key x", "row 4, column 1: unknown key library.y", "row 6, column 1: unknown key tension.z"}},
		{"a language that is not spoken", "schema = 1\n[[prompt]]\nid = \"a\"\n[prompt.de]\ntitle = \"b\"\n", []string{"row 4, column 2: unknown key prompt.de"}},
		{"a language promised", "schema = 1\n[library]\nlanguages = [\"nl\", \"fr\"]\n", []string{`library.languages: "fr"`}},
		{"another source language", "schema = 1\n[library]\ndefault_language = \"en\"\n", []string{"library.default_language"}},
		{"text for a number", "schema = 1\n[[prompt]]\nintensity = \"low\"\n", []string{"row 3, column 13: this is a TOML string; write a whole number"}},
		{"a number for text", "schema = 1\n[[prompt]]\nid = 7\n", []string{"row 3, column 6: this is a TOML integer; write text between quotes"}},
		{"text for yes or no", "schema = 1\n[[prompt]]\naftercare = \"yes\"\n", []string{"row 3, column 13", "true or false"}},
		{"text for a list", "schema = 1\n[[prompt]]\naudience = \"all\"\n", []string{"row 3, column 12", "a list"}},
		{"text for a table", "schema = 1\n[[prompt]]\nnl = \"tekst\"\n", []string{"row 3, column 6", "a table"}},
		{"text for cues", "schema = 1\n[[tension]]\n[tension.nl]\ncues_a = \"regel\"\n", []string{"row 4, column 10", "a list"}},
		{"cues for no language", "schema = 1\n[[tension]]\ncues_a = []\n[tension.nl]\ncue_b = []\nexample = \"x\"\n",
			[]string{"row 3, column 1: unknown key tension.cues_a", "row 5, column 1: unknown key tension.nl.cue_b", "row 6, column 1: unknown key tension.nl.example"}},
		{"half a string", "schema = 1\n[[prompt]]\nid = \"half", []string{"row 3"}},
		{"half a table", "schema = 1\n[[prompt", []string{"row 2"}},
		{"half a list", "schema = 1\n[[prompt]]\naudience = [\"all\",", []string{"row 3"}},
		{"a key twice", "schema = 1\nschema = 1\n", []string{"row 2, column 1", "already defined"}},
		{"a number too large", "schema = 1\n[[prompt]]\nrevision = 99999999999999999999\n", []string{"row 3"}},
		{"no text at all", "\xff\xfe\x00", []string{"row 1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Decode(strings.NewReader(c.file))
			if err == nil {
				t.Fatal("read without a word")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}

func TestDecodeGivesThePlace(t *testing.T) {
	_, err := Decode(strings.NewReader("schema = 1\n[[prompt]]\n  typo = 1\n"))
	if at, ok := errors.AsType[SyntaxError](err); !ok || at.Row != 3 || at.Column != 3 {
		t.Errorf("%#v", err)
	}
}

func TestDecodeReader(t *testing.T) {
	if _, err := Decode(iotest.ErrReader(os.ErrDeadlineExceeded)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if _, err := Decode(io.MultiReader(strings.NewReader("schema = 1\n# "), io.LimitReader(zeros{}, MaxFile))); err == nil ||
		!strings.Contains(err.Error(), "larger than 8 MiB") {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = '0'
	}
	return len(b), nil
}

func TestEncodeKeepsEverything(t *testing.T) {
	l := builtinLibrary(t)
	full := l.Prompts[0]
	full.ID, full.NotFor, full.Season, full.Avoid = "full", []AudienceID{"permits"}, []int{1, 12}, []string{"elections"}
	full.Aftercare, full.Onboarding, full.Reviewer, full.Licence = true, true, "Reader", "CC0-1.0"
	full.Image = &Image{Path: "a.png", Alt: Text{Dutch: "een brug", English: "a bridge"}, Licence: "CC0-1.0"}
	words := full.Words[Dutch]
	words.Text = "Aanhaling: \"ja\" en 'nee', \\ en\n\teen nieuwe regel: ’t ↔ ij."
	full.Words = map[Lang]Words{Dutch: words}
	l.Prompts = append(l.Prompts, full, Prompt{ID: "empty"})
	l.Tensions = append(l.Tensions, Tension{ID: "bare"})

	var out bytes.Buffer
	if err := Encode(&out, l); err != nil {
		t.Fatal(err)
	}
	again, err := Decode(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(l, again) {
		for i := range l.Prompts {
			if !reflect.DeepEqual(l.Prompts[i], again.Prompts[i]) {
				t.Errorf("wrote %+v\nread  %+v", l.Prompts[i], again.Prompts[i])
			}
		}
		t.Fatal("the library changed on its way through a file")
	}
}

func TestEncodeSaysWhenItCannotWrite(t *testing.T) {
	r, w := io.Pipe()
	if err := r.CloseWithError(os.ErrClosed); err != nil {
		t.Fatal(err)
	}
	if err := Encode(w, builtinLibrary(t)); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

// A file that can be read can be written, and reads the same again.
func FuzzDecode(f *testing.F) {
	var small bytes.Buffer // the whole built-in library would keep the fuzzer busy with making it smaller
	l := builtinLibrary(f)
	if err := Encode(&small, Library{Tensions: l.Tensions[:1], Prompts: l.Prompts[:1]}); err != nil {
		f.Fatal(err)
	}
	f.Add(small.Bytes())
	for _, s := range []string{
		"schema = 1\n", "schema = 1\n[library]\nname = {nl = \"a\"}\n", "schema = 1\n[[prompt]]\nid = \"a\"\n[prompt.nl]\nfollowups = [\"\", \"b\"]\n",
		"schema = 1\n[[prompt]]\nseason = []\n[prompt.image]\nalt = {en = \"x\\u0000\"}\n", "schema = 1\nprompt = [{id = \"a\", nl = {}}]\n",
		"schema = 1\n[[tension]]\n[tension.nl]\nlabel = '''\na'b'''\n", "schema = 1\r\n[[value]]\r\nid = \"\\u2028\"", "[[prompt", "\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, places, err := Read(bytes.NewReader(raw))
		if err != nil {
			return
		}
		for _, at := range places {
			if at.Row < 1 || at.Row > bytes.Count(raw, []byte("\n"))+1 || at.Column < 1 {
				t.Fatalf("a place outside the file: %+v", at)
			}
		}
		var first, second bytes.Buffer
		if err := Encode(&first, l); err != nil {
			t.Fatal(err)
		}
		again, err := Decode(bytes.NewReader(first.Bytes()))
		if err != nil {
			t.Fatalf("%v\n%s", err, first.Bytes())
		}
		if !reflect.DeepEqual(l, again) {
			t.Fatalf("%+v\n%+v", l, again)
		}
		if err := Encode(&second, again); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Fatalf("%v\n%s\n%s", err, first.Bytes(), second.Bytes())
		}
		// What can be read must be judged without a panic, whatever it says.
		_ = l.Validate()
		_ = Lint(l)
		_ = Cover(l)
		_, _ = Pick(l, Situation{Round: 9, Slot: SlotMain})
	})
}
