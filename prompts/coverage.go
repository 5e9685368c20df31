package prompts

// Coverage is what a library holds for one audience: its own active prompts and those for everyone.
type Coverage struct {
	Audience AudienceID
	Dilemmas int               // in all tensions together
	Gentle   int               // of those, how many have intensity 1: what a new or rested team can be asked
	Tensions map[TensionID]int // dilemmas per tension
	Light    map[TensionID]int // appreciative and practice prompts per tension
}

// EnoughDilemmas is what a season of a weekly rhythm asks of one team (PRACTICE 19).
const EnoughDilemmas = 6

// Short says whether the audience has fewer dilemmas than a weekly season asks.
func (c Coverage) Short() bool { return c.Dilemmas < EnoughDilemmas }

// Cover counts the active prompts per audience and tension, in the library's order of audiences.
func Cover(l Library) []Coverage {
	var out []Coverage
	for _, a := range l.Audiences {
		c := Coverage{Audience: a.ID, Tensions: map[TensionID]int{}, Light: map[TensionID]int{}}
		for _, p := range l.Prompts {
			if !p.For(a.ID) || !p.ready() {
				continue
			}
			cells := c.Light
			switch {
			case p.Kind == Dilemma:
				c.Dilemmas++
				if p.Intensity == 1 {
					c.Gentle++
				}
				cells = c.Tensions
			case !p.Light():
				continue
			}
			for _, t := range p.Tensions {
				cells[t]++
			}
		}
		out = append(out, c)
	}
	return out
}
