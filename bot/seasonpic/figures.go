package seasonpic

import (
	"math"
	"strconv"
	"strings"
)

// figure is a filled outline around its own middle. One that has a name is the same wherever it stands.
type figure struct {
	name  string
	moves []move
}

// move is one step of an outline: to a point, or along a curve with two points that bend it.
type move struct {
	kind   byte // 'M', 'L', 'Q', 'C' or 'Z'
	points [3][2]float64
}

func to(kind byte, x, y float64) move { return move{kind: kind, points: [3][2]float64{{x, y}}} }

// round is a circle; turned the other way around it is a hole in another.
func round(r float64, hole bool) []move {
	const k = 0.5522847498 // where the bend of a quarter circle lies
	flip := 1.0
	if hole {
		flip = -1
	}
	out := []move{to('M', r, 0)}
	for q := range 4 {
		sin, cos := math.Sincos(float64(q) * math.Pi / 2)
		at := func(x, y float64) [2]float64 { return [2]float64{r * (x*cos - y*sin), flip * r * (x*sin + y*cos)} }
		out = append(out, move{kind: 'C', points: [3][2]float64{at(1, k), at(k, 1), at(0, 1)}})
	}
	return append(out, move{kind: 'Z'})
}

// corner is a square that stands on a corner.
func corner(r float64, hole bool) []move {
	side := r
	if hole {
		side = -r
	}
	return []move{to('M', 0, -r), to('L', side, 0), to('L', 0, r), to('L', -side, 0), {kind: 'Z'}}
}

// box is a rectangle.
func box(name string, w, h float64) *figure {
	return &figure{name, []move{to('M', -w/2, -h/2), to('L', w/2, -h/2), to('L', w/2, h/2), to('L', -w/2, h/2), {kind: 'Z'}}}
}

// frame is a rectangle of which only the edge is drawn, with round corners.
func frame(w, h, line, r float64) *figure {
	edge := func(w, h, r float64, hole bool) []move {
		const k = 0.4477152502 // how far from the corner a quarter circle bends
		x, y := w/2, h/2
		corner := func(fx, fy, cx, cy, tx, ty float64) move {
			return move{kind: 'C', points: [3][2]float64{{fx, fy}, {cx, cy}, {tx, ty}}}
		}
		if hole {
			return []move{
				to('M', -x+r, -y), corner(-x+r*k, -y, -x, -y+r*k, -x, -y+r), to('L', -x, y-r), corner(-x, y-r*k, -x+r*k, y, -x+r, y),
				to('L', x-r, y), corner(x-r*k, y, x, y-r*k, x, y-r), to('L', x, -y+r), corner(x, -y+r*k, x-r*k, -y, x-r, -y), {kind: 'Z'},
			}
		}
		return []move{
			to('M', -x+r, -y), to('L', x-r, -y), corner(x-r*k, -y, x, -y+r*k, x, -y+r), to('L', x, y-r), corner(x, y-r*k, x-r*k, y, x-r, y),
			to('L', -x+r, y), corner(-x+r*k, y, -x, y-r*k, -x, y-r), to('L', -x, -y+r), corner(-x, -y+r*k, -x+r*k, -y, -x+r, -y), {kind: 'Z'},
		}
	}
	return &figure{"", append(edge(w, h, r, false), edge(w-2*line, h-2*line, r-line, true)...)}
}

// leaf is the shape of one, its tip up to the right.
func leaf() *figure {
	return &figure{"leaf", []move{
		to('M', -11, 11), {kind: 'C', points: [3][2]float64{{-13, -3}, {-3, -13}, {11, -11}}},
		{kind: 'C', points: [3][2]float64{{13, 3}, {3, 13}, {-11, 11}}}, {kind: 'Z'},
	}}
}

// alphabet is a size of the marks.
type alphabet struct {
	pitch, height float64
	figures       [6]*figure
	dot           *figure
}

func alphabetOf(pitch float64) *alphabet {
	r := min(pitch*0.38, 22)
	line := max(r*0.24, 3)
	name := func(s string) string { return s + strconv.Itoa(int(math.Round(pitch))) }
	a := &alphabet{pitch: pitch, height: 2.6*r + 8, dot: &figure{"dot", round(4, false)}}
	a.figures = [6]*figure{
		NotAsked: {name("full"), round(r, false)},
		Asked:    {name("corner"), corner(r*1.22, false)},
		Silent:   {name("open-corner"), append(corner(r*1.22, false), corner(r*1.22-line*1.41, true)...)},
		Below:    {name("open"), append(round(r*0.62, false), round(r*0.62-line*0.8, true)...)},
		TooFew:   box(name("dash"), r*1.1, line),
		Other:    {name("point"), round(r*0.2, false)},
	}
	return a
}

// of gives the figure of a mark; faint says that it stands back.
func (a *alphabet) of(m Mark) (f *figure, faint bool) {
	return a.figures[m], m == Below || m == TooFew || m == Other
}

// path writes an outline for SVG.
func (f *figure) path() string {
	var out strings.Builder
	for _, m := range f.moves {
		out.WriteByte(m.kind)
		n := 1
		switch m.kind {
		case 'Q':
			n = 2
		case 'C':
			n = 3
		case 'Z':
			n = 0
		}
		for i := range n {
			if i > 0 {
				out.WriteByte(' ')
			}
			out.WriteString(short(m.points[i][0]) + " " + short(m.points[i][1]))
		}
	}
	return out.String()
}

// short writes a length to a hundredth.
func short(v float64) string {
	v = math.Round(v*100) / 100
	if v == 0 { // no -0
		v = 0
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
