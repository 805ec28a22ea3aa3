"""Which images are trained on and which are held out, so that no picture is on both sides."""
