import cowsay

cowsay.cow("Mooo!")
