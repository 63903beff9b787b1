def draw(runs):
    pass
