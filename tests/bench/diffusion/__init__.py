"""A small diffusion model beside a GAN of ours, on the same images and in the same time. See `__main__.py`."""
