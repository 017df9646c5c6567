const words = (text: string): readonly string[] => text.trim().split(/\s+/);

export const givenNames = words(`
  Aaron Abigail Adrian Aisha Alan Alicia Amara Amir Andre Angela Anita Anthony Beatriz Brandon Brian Brianna Bruce
  Camila Carl Carmen Cedric Chloe Clara Corey Curtis Daniel Darnell Deborah Denise Derek Diana Dmitri Donna Eddie
  Elena Emmanuel Erica Ernest Esther Felix Fiona Frank Gabriel Gloria Grace Greg Hannah Hector Henry Imani Irene Isaac
  Ivan Jamal Janet Jasmine Jerome Joanna Jorge Joyce Kayla Keisha Kenneth Kevin Lamar Laura Leah Leon Linda Luis
  Malik Marcus Maria Marta Miguel Monica Nadia Nathan Nicole Noah Olga Omar Pamela Patrick Paula Priya Rachel Ramon
  Raquel Renee Rosa Ruben Samuel Sandra Sean Sofia Stanley Tamara Terrence Theo Tomas Tyrone Vanessa Victor Wanda Xavier
  Yolanda Yusuf Zoe
`);

export const familyNames = words(`
  Abbott Acosta Adeyemi Alvarez Anderson Arroyo Baker Banerjee Barnes Bauer Bell Bennett Bishop Blake Boyd Brooks
  Burke Cabrera Caldwell Campos Carver Castillo Chavez Chen Coleman Collins Cooper Cortez Cruz Dalton Daniels Davila
  Delgado Diaz Dixon Dorsey Doyle Duncan Ellis Espinoza Farmer Fields Flores Foster Fowler Franklin Fuentes Garza
  Gibson Glover Gomez Graham Gray Greene Griffin Guzman Hale Harmon Hayes Henson Herrera Hicks Holt Horton Hughes
  Ibarra Ingram Jackson Jensen Juarez Kaplan Keller Kim Kowalski Lambert Lawson Long Lopez Lozano Maddox Maldonado
  Mason McCoy Medina Mendez Mercer Miller Monroe Morales Moss Nakamura Navarro Newman Nguyen Norris Novak Ochoa Okafor
  Ortega Osborne Palmer Park Patel Payne Pena Perry Petrov Porter Quinn Ramirez Reese Reyes Rhodes Rivera Robles Rollins
  Rosario Ruiz Salazar Sanders Santos Schmidt Shaw Silva Simmons Sims Singh Solis Stokes Suarez Sutton Tate Thornton
  Torres Tran Tucker Underwood Valdez Vaughn Vega Wagner Walsh Warren Watkins Weaver Webb Whitfield Woods Yates Zamora
`);
