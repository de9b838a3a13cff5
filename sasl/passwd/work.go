package passwd

import "context"

// maxAtOnce bounds the verifications that run at once, whatever the number of
// CPUs, and with them the memory: 4 × 19 MiB at the parameters that Set uses,
// 4 × 256 MiB at the limits.
const maxAtOnce = 4

// work runs the hash computations, few at a time.
type work struct {
	slots chan struct{}
	ran   func(cost string) // for tests: nil, or called before each
}

// do runs compute when there is room for it, or returns ctx's error.
func (w *work) do(ctx context.Context, cost string, compute func()) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case w.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-w.slots }()
	if w.ran != nil {
		w.ran(cost)
	}
	compute()
	return nil
}
