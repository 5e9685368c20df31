package prompts

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// renamed gives a tension another label: another sense.
func renamed(t Tension, label string) Tension {
	t.Label = Text{Dutch: label, English: label}
	return t
}

// An edit starts a new count unless it is said to mean the same; a row of such edits counts as one, whatever its order.
func TestAfter(t *testing.T) {
	first := aTension()
	second := renamed(first, "Twee").After(first)
	third := renamed(first, "Drie").After(second)
	for _, c := range []struct {
		name  string
		now   Tension
		means []Tension // those before that count on
		not   []Tension
	}{
		{"as it is", first, []Tension{first}, []Tension{second, third}},
		{"the same", second, []Tension{first, second}, []Tension{third}},
		{"a row of edits", third, []Tension{first, second, third}, nil},
		{"another meaning", renamed(first, "Drie"), []Tension{third}, []Tension{first, second}},
		{"the same as another meaning", renamed(first, "Vier").After(renamed(first, "Drie")), []Tension{third}, []Tension{first, second}},
		{"and back again", first.After(third), []Tension{first, second, third}, nil},
	} {
		for _, b := range c.means {
			if !c.now.Means(b.Sense()) {
				t.Errorf("%s: %s does not count on", c.name, b.Label[Dutch])
			}
		}
		for _, b := range c.not {
			if c.now.Means(b.Sense()) {
				t.Errorf("%s: %s counts on", c.name, b.Label[Dutch])
			}
		}
		if c.now.Means("") {
			t.Errorf("%s: no sense counts", c.name)
		}
	}
	other := renamed(first, "Drie").After(renamed(first, "Twee").After(first))
	if !reflect.DeepEqual(third.Formerly, other.Formerly) {
		t.Errorf("%v, then %v", third.Formerly, other.Formerly)
	}
	// The same edits in another order are the same set.
	a, b := renamed(first, "A"), renamed(first, "B")
	one, two := renamed(first, "C").After(b.After(a)), renamed(first, "C").After(a.After(b))
	if !reflect.DeepEqual(one.Formerly, two.Formerly) {
		t.Errorf("%v, other way %v", one.Formerly, two.Formerly)
	}
	if third.Sense() != renamed(first, "Drie").Sense() || third.Words() != first.Words() {
		t.Error("what it was called is part of what it means")
	}
}

// Seven at most, none retired, in the one fixed order, and what the question is about comes first.
func TestOffered(t *testing.T) {
	var l Library
	for i := range 10 {
		l.Tensions = append(l.Tensions, Tension{ID: TensionID(fmt.Sprint("t", i)), Retired: i == 2})
	}
	for _, c := range []struct {
		asked []TensionID
		want  string
	}{
		{nil, "t0 t1 t3 t4 t5 t6 t7"},
		{[]TensionID{"t4"}, "t0 t1 t3 t4 t5 t6 t7"},
		{[]TensionID{"t9"}, "t0 t1 t3 t4 t5 t6 t9"},
		{[]TensionID{"t8", "t9"}, "t0 t1 t3 t4 t5 t8 t9"},
		{[]TensionID{"t2"}, "t0 t1 t3 t4 t5 t6 t7"}, // retired
		{[]TensionID{"t0", "t1", "t3", "t4", "t5", "t6", "t7", "t8", "t9"}, "t0 t1 t3 t4 t5 t6 t7"},
	} {
		var got []string
		for _, o := range l.Offered(c.asked...) {
			got = append(got, string(o.ID))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("asked %v: %s, want %s", c.asked, s, c.want)
		}
	}
	if len(l.Tensions) != 10 {
		t.Error("the library changed")
	}
}

// What a tension was stays with it in a file, and nothing else passes for a sense.
func TestFormerlyInAFile(t *testing.T) {
	base := builtinLibrary(t)
	own := renamed(aTension(), "Anders").After(aTension())
	own.Retired = true
	l := base.WithTensions([]Tension{own})
	var out bytes.Buffer
	if err := Encode(&out, l); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "retired = true") || !strings.Contains(out.String(), "formerly = ['"+aTension().Sense()+"']") {
		t.Error("not in the file")
	}
	again, err := Decode(&out)
	if err != nil || !reflect.DeepEqual(again.Tensions, l.Tensions) {
		t.Fatalf("changed on the way through a file: %v", err)
	}
	if err := again.Validate(); err != nil {
		t.Error(err)
	}
	for _, formerly := range [][]string{{"x"}, {strings.ToUpper(own.Sense())}, {own.Sense(), own.Sense()}, make([]string, 101)} {
		own.Formerly = formerly
		wrong := base.WithTensions([]Tension{own})
		if err := wrong.Validate(); err == nil || !strings.Contains(err.Error(), "tension rest-reach: formerly") {
			t.Errorf("%.40v: %v", formerly, err)
		}
	}
}

// An editor hears of a tension that nobody is offered.
func TestLintMoreThanSeven(t *testing.T) {
	l := builtinLibrary(t)
	own := aTension()
	own.Definitions = nil
	for i := range 3 {
		own.ID = TensionID(fmt.Sprint("own-", i))
		l.Tensions = append(l.Tensions, own)
	}
	count := func() (n int) {
		for _, f := range Lint(l) {
			if f.Rule == "not-offered" {
				n++
			}
		}
		return n
	}
	if n := count(); n != 1 {
		t.Errorf("%d are not offered", n)
	}
	l.Tensions[0].Retired = true
	if n := count(); n != 0 {
		t.Errorf("with one retired: %d are not offered", n)
	}
}
