package pgstore

// beside is the use of a connection while its unit goes on.
type beside struct {
	conn *conn
	done chan struct{}
}

// goOn runs fn, on a conn that has what was left for later, while the caller
// goes on. Whatever is next to be run waits for it, and fails as it has failed.
func (c *conn) goOn(fn func(*conn)) error {
	if err := c.settle(); err != nil {
		return err
	}
	b := &beside{&conn{sender: c.sender, naming: c.naming, later: c.later}, make(chan struct{})}
	c.later, c.beside = nil, b
	go func() { // settle waits for it, at the latest when the transaction ends
		defer close(b.done)
		fn(b.conn)
	}()
	return nil
}

// settle waits for what runs beside the unit, and returns why nothing more can be run.
func (c *conn) settle() error {
	if b := c.beside; b != nil {
		<-b.done
		c.beside = nil
		if c.broken == nil {
			c.broken = b.conn.broken
		}
	}
	return c.broken
}
