package seasonpic

import (
	"image/color"
	"slices"
	"strings"

	"github.com/weerklank/weerklank/bot/locale"
)

// The picture is as wide as a telephone shows well, and as high as it has to be. All lengths are in its own pixels: on a
// telephone of 360 points three of them make one, so that the smallest letters stand there in ten points.
const (
	width  = 1080
	margin = 48
	indent = 44 // of what stands beside a bar
	right  = width - margin

	titleSize  = 52
	labelSize  = 40
	statusSize = 34
	smallSize  = 32

	below    = 30 // free below a branch
	perLine  = 24 // marks on one line
	maxPitch = 72 // from one mark to the next
)

// ink is a colour of the picture. Each is dark enough on white to be read as grey.
type ink int

const (
	inkText ink = iota
	inkMuted
	inkBlue
	inkOchre
	inkViolet
	inkSlate
)

// inks are the colours, none of them red or green. Those of tensions follow each other so that neighbours differ to every
// eye; they tell nothing that the labels do not.
func inks() []color.RGBA {
	return []color.RGBA{
		inkText: {0x1b, 0x1f, 0x24, 0xff}, inkMuted: {0x5c, 0x64, 0x6c, 0xff},
		inkBlue: {0x00, 0x5a, 0x9c, 0xff}, inkOchre: {0x8a, 0x56, 0x00, 0xff},
		inkViolet: {0x6a, 0x3d, 0x9a, 0xff}, inkSlate: {0x3c, 0x46, 0x50, 0xff},
	}
}

func inkOf(row int) ink { return []ink{inkBlue, inkOchre, inkViolet, inkSlate}[row%4] }

// piece is one thing in the picture: a figure, or a line of text that begins at x and stands on y.
type piece struct {
	ink    ink
	x, y   float64
	figure *figure
	text   string
	size   float64
	bold   bool
}

// scene is a picture before it is drawn.
type scene struct {
	height float64
	pieces []piece
}

func (s *scene) draw(i ink, f *figure, x, y float64) {
	s.pieces = append(s.pieces, piece{ink: i, figure: f, x: x, y: y})
}

func (s *scene) write(i ink, text string, size float64, bold bool, x, y float64) {
	s.pieces = append(s.pieces, piece{ink: i, text: text, size: size, bold: bold, x: x, y: y})
}

// paragraph writes lines of at most room pixels from y down and returns where they end.
func (s *scene) paragraph(f *faces, i ink, text string, size float64, bold bool, x, y, room float64) float64 {
	for _, line := range f.wrap(text, size, bold, room) {
		s.write(i, line, size, bold, x, y+size)
		y += size * 1.25
	}
	return y
}

// lay puts everything in its place.
func lay(d Data, f *faces) *scene {
	s := &scene{}
	y := s.paragraph(f, inkText, d.Title, titleSize, true, margin, margin-8, right-margin)
	if d.Period != "" {
		y = s.paragraph(f, inkMuted, d.Period, smallSize, false, margin, y+6, right-margin)
	}
	y += 34
	trunk := 0.0 // where it comes out of the heart, or of the branch before
	if d.Purpose != "" && len(d.Rows) > 0 {
		y = s.heart(f, d.Purpose, y)
		trunk = y - below
	}
	n := d.rounds()
	lines := max(1, (n+perLine-1)/perLine)
	a := alphabetOf(min(maxPitch, float64(right-margin-indent)/float64(max(1, (n+lines-1)/lines))))
	for i, r := range d.Rows {
		if trunk > 0 {
			s.draw(inkMuted, box("", 4, y-trunk+4), margin+7, (trunk+y+4)/2)
		}
		y = s.row(f, r, inkOf(i), a, (n+lines-1)/lines, y)
		if trunk > 0 {
			trunk = y - below
		}
	}
	if n == 0 {
		y = s.paragraph(f, inkText, locale.Text(d.Lang, "season.empty"), statusSize, false, margin, y, right-margin)
	} else {
		y = s.legend(d, f, y)
	}
	s.height = float64(int(y) + margin)
	return s
}

// row lays one tension: its bar, its name with what it is, and its marks.
func (s *scene) row(f *faces, r Row, i ink, a *alphabet, perLine int, y float64) float64 {
	top, x := y, float64(margin+indent)
	labels := f.wrap(r.Label, labelSize, true, right-x)
	for n, line := range labels {
		s.write(inkText, line, labelSize, true, x, y+labelSize)
		if room := f.width(line, labelSize, true) + 40 + f.width(r.Status, statusSize, false); n == 0 && r.Status != "" && len(labels) == 1 && x+room <= right {
			s.write(inkMuted, r.Status, statusSize, false, right-f.width(r.Status, statusSize, false), y+labelSize)
			r.Status = ""
		}
		y += labelSize * 1.25
	}
	if r.Status != "" {
		y = s.paragraph(f, inkMuted, r.Status, statusSize, false, x, y, right-x)
	}
	y += 8
	for line := range slices.Chunk(r.Marks, max(perLine, 1)) {
		for k, m := range line {
			if fig, faint := a.of(m); faint {
				s.draw(inkMuted, fig, x+a.pitch*(float64(k)+0.5), y+a.height/2)
			} else {
				s.draw(i, fig, x+a.pitch*(float64(k)+0.5), y+a.height/2)
			}
		}
		y += a.height
	}
	y = s.leaves(f, r.Leaves, i, y)
	if r.Weight <= Unseen {
		for at := top + 8; at+8 <= y; at += 20 {
			s.draw(inkMuted, a.dot, margin+7, at+4)
		}
	} else {
		wide := []float64{0, 8, 16, 24}[min(max(r.Weight, Unseen), Often)]
		s.draw(i, box("", wide, y-top-4), margin+wide/2, (top+y)/2)
	}
	return y + below
}

// heart lays the team's own words in the middle, in a frame.
func (s *scene) heart(f *faces, purpose string, y float64) float64 {
	const inside = 28
	lines := f.wrap(purpose, labelSize, true, right-margin-2*inside)
	high := float64(len(lines))*labelSize*1.25 + 2*inside - 6
	s.draw(inkMuted, frame(right-margin, high, 3, 18), width/2, y+high/2)
	at := y + inside
	for _, line := range lines {
		s.write(inkText, line, labelSize, true, (width-f.width(line, labelSize, true))/2, at+labelSize-4)
		at += labelSize * 1.25
	}
	return y + high + below
}

// leaves lays the poles of a tension beside each other, each with its leaf.
func (s *scene) leaves(f *faces, leaves []Leaf, i ink, y float64) float64 {
	if len(leaves) == 0 {
		return y
	}
	const gap, blade = 36, 40.0
	room := (float64(right) - margin - indent - gap*float64(len(leaves)-1)) / float64(len(leaves))
	low := y
	for n, l := range leaves {
		x, at := float64(margin+indent)+float64(n)*(room+gap), y+6
		s.draw(i, leaf(), x+13, at+smallSize*0.62)
		at = s.paragraph(f, inkText, l.Pole, smallSize, true, x+blade, at, room-blade)
		text, shade := l.Text, inkMuted
		if l.Quote {
			text, shade = "“"+l.Text+"”", inkText
		}
		low = max(low, s.paragraph(f, shade, text, smallSize, false, x+blade, at, room-blade))
	}
	return low + 4
}

// legend lays what the marks mean, in two columns, and the direction of time.
func (s *scene) legend(d Data, f *faces, y float64) float64 {
	a, says := alphabetOf(56), words(d.Lang)
	s.draw(inkMuted, box("", right-margin, 2), width/2, y)
	y += 18
	column, x := (right-margin)/2.0, float64(margin)
	low := y
	for n, l := range legend() {
		if !d.shows(l.mark) {
			continue
		}
		if n%2 == 0 {
			x, y = margin, low
		} else {
			x = margin + column
		}
		fig, faint := a.of(l.mark)
		i := inkText
		if faint {
			i = inkMuted
		}
		s.draw(i, fig, x+a.pitch/2, y+26)
		low = max(low, s.paragraph(f, inkText, says[l.mark], smallSize, false, x+a.pitch+8, y+8, column-a.pitch-24)+16)
	}
	return s.paragraph(f, inkMuted, locale.Text(d.Lang, "season.picture-order"), smallSize, false, margin, low+10, right-margin)
}

// wrap cuts text into lines of at most room pixels, between words where it can.
func (f *faces) wrap(text string, size float64, bold bool, room float64) []string {
	var lines []string
	line := ""
	for w := range strings.FieldsSeq(text) {
		if joined := strings.TrimSpace(line + " " + w); f.width(joined, size, bold) <= room {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		line = ""
		for _, r := range w { // a word longer than a line goes on below
			if line != "" && f.width(line+string(r), size, bold) > room {
				lines, line = append(lines, line), ""
			}
			line += string(r)
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
