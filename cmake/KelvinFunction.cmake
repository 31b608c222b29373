# kelvin_add_function
