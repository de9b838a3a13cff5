package passwd

// Parse reads a file's content for its errors.
func Parse(file string, data []byte) error {
	_, err := parse(file, data)
	return err
}

// OnHash has ran called before each computation of a hash, with its parameters.
func (f *File) OnHash(ran func(cost string)) { f.work.ran = ran }

// Slots is how many computations may run at once.
func (f *File) Slots() int { return cap(f.work.slots) }
